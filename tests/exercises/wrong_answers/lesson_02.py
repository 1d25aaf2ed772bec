"""Typical wrong answers to the exercises of lesson 02, each with words its hint must hold."""

import torch


def nchw_loop(photos):
    return torch.cat([photo.permute(2, 0, 1).unsqueeze(0) / 255 for photo in photos])


def nchw_loop_into(photos):
    result = torch.empty(len(photos), photos.shape[3], *photos.shape[1:3])
    for n, photo in enumerate(photos):
        result[n] = photo.permute(2, 0, 1) / 255
    return result


def pairs(features, weight, targets):
    return (features @ weight - targets) ** 2


def errors_in_a_loop(features, weight, targets):
    predictions = features @ weight
    return torch.stack([(p[0] - t) ** 2 for p, t in zip(predictions, targets, strict=True)])


def errors_in_pieces(features, weight, targets):
    """One piece for each sample."""
    both = zip(features.split(1), targets.split(1), strict=True)
    return torch.cat([(x @ weight[:, 0] - t) ** 2 for x, t in both])


def pool(steps, queries, reorder=lambda steps: steps.permute(1, 0, 2), dim=1, scale=1.0):
    sequences = reorder(steps)
    weights = torch.einsum("ntd,nd->nt", sequences, queries) * scale
    return torch.einsum("nt,ntd->nd", weights.softmax(dim=dim), sequences)


def regrouped(steps):
    return steps.reshape(steps.shape[1], steps.shape[0], steps.shape[2])


def pool_in_a_loop(steps, queries):
    found = []
    for sequence, query in zip(steps.unbind(1), queries, strict=True):
        found.append((sequence @ query).softmax(dim=0) @ sequence)
    return torch.stack(found)


def pool_with_all_queries(steps, queries):
    """Every query meets every sequence; the diagonal is kept."""
    sequences = steps.permute(1, 0, 2)
    weights = torch.einsum("ntd,md->nmt", sequences, queries).softmax(dim=2)
    return torch.einsum("nmt,ntd->nmd", weights, sequences).diagonal().T


def step_by_step(steps, queries):
    products = torch.stack([(step * queries).sum(dim=1) for step in steps])
    return (products.softmax(dim=0).unsqueeze(2) * steps).sum(dim=0)


WRONG = {
    "02.1": [
        (lambda x: x.reshape(len(x), x.shape[3], *x.shape[1:3]) / 255, "regroups them"),
        (lambda x: x.reshape(len(x), x.shape[3], *x.shape[1:3]).float(), "nothing is divided"),
        (lambda x: x.permute(0, 3, 2, 1) / 255, "in the wrong order"),
        (lambda x: x / 255, "in the wrong order"),
        (lambda x: x.permute(3, 0, 1, 2) / 255, "the batch comes first"),
        (lambda x: x.permute(0, 3, 1, 2).float(), "run to 255"),
        (lambda x: x.permute(0, 3, 1, 2), "expected torch.float32"),
        (lambda x: x.permute(0, 3, 1, 2).double() / 255, "expected torch.float32"),
        (lambda x: x.permute(0, 3, 1, 2) / 256, "divides by 256"),
        (lambda x: (x.permute(0, 3, 1, 2) // 255).float(), "only zeros and ones"),
        (lambda x: x.permute(0, 3, 1, 2) / x.max(), "depends on the other photographs"),
        (lambda x: x.flip(-1).permute(0, 3, 1, 2) / 255, "colours come in the opposite order"),
        (lambda x: x.permute(0, 3, 1, 2).squeeze() / 255, "a batch of one it returns shape"),
        (lambda x: x.permute(0, 3, 1, 2).view(len(x), -1) / 255, "view size is not compatible"),
        (lambda x: x.permute(2, 0, 1) / 255, "RuntimeError"),
        (nchw_loop, "still loops over the photographs"),
        (nchw_loop_into, "still loops over the photographs"),
    ],
    "02.2": [
        (lambda x, w, t: pairs(x, w, t).mean(dim=1), "meets the targets of all samples, and a mean"),
        (lambda x, w, t: pairs(x, w, t).mean(dim=0), "meets the predictions of all samples"),
        (lambda x, w, t: pairs(x, w, t).sum(dim=1), "a sum hides it"),
        (lambda x, w, t: pairs(x, w, t), "2 dimensions, expected 1"),
        (lambda x, w, t: pairs(x, w, t).mean(), "one number for the whole batch"),
        (lambda x, w, t: pairs(x, w, t)[:, 0], "meets the first target"),
        (lambda x, w, t: pairs(x, w, t)[0], "meets the first prediction"),
        (lambda x, w, t: pairs(x, w, t).diagonal(), "64 times as much memory"),
        (lambda x, w, t: torch.diagonal((x @ w).expand(-1, len(t)) - t) ** 2, "as much memory"),
        (lambda x, w, t: pairs(x, w, t.unsqueeze(1)), "dimension of size 1 too many"),
        (lambda x, w, t: x @ w - t.unsqueeze(1), "dimension of size 1 too many"),
        (lambda x, w, t: (x @ w)[:, 0] - t, "the square is missing"),
        (lambda x, w, t: ((x @ w)[:, 0] - t).abs(), "absolute error"),
        (lambda x, w, t: ((x @ w)[:, 0] - t).square().mean().expand_as(t), "the same error"),
        (lambda x, w, t: ((x @ w)[:, 0] - t).square() / len(t), "divided by the number of samples"),
        (lambda x, w, t: (x @ w)[:, 0], "those are the predictions"),
        (lambda x, w, t: ((x @ w).float()[:, 0] - t.float()).square(), "expected torch.float64"),
        (lambda x, w, t: t.sub_((x @ w)[:, 0]).square(), "changes its input in place"),
        (lambda x, w, t: (x @ w - t.T) ** 2, "2 dimensions, expected 1"),
        (errors_in_a_loop, "still loops over the samples"),
        (errors_in_pieces, "still loops over the samples"),
    ],
    "02.3": [
        (lambda s, q: pool(s, q, regrouped, dim=0), "both mistakes are still there"),
        (lambda s, q: pool(s, q, regrouped), "now the reshape"),
        (lambda s, q: pool(s, q, dim=0), "now the softmax"),
        (lambda s, q: pool(s, q, scale=s.shape[2] ** -0.5), "divided by the root"),
        (lambda s, q: pool(s, q[:1].expand_as(q)), "asked with the first query"),
        (lambda s, q: pool(s, q.flip(0)), "in the opposite order"),
        (lambda s, q: s.mean(dim=0), "all steps weigh the same"),
        (lambda s, q: pool(s, q) / len(s), "divides by the number of steps"),
        (lambda s, q: torch.einsum("tn,tnd->nd", (s * q).sum(2), s), "the softmax is missing"),
        (lambda s, q: pool(s, q, lambda s: s), "RuntimeError"),
        (lambda s, q: s.permute(1, 0, 2), "3 dimensions, expected 2"),
        (lambda s, q: pool(s, q).sum(dim=1), "1 dimensions, expected 2"),
        (lambda s, q: pool(s, q).T, "the batch comes first"),
        (lambda s, q: pool(s.float(), q.float()), "expected torch.float64"),
        (
            lambda s, q: torch.nn.functional.scaled_dot_product_attention(
                q.unsqueeze(1), s.transpose(0, 1), s.transpose(0, 1)
            )[:, 0],
            "scaled_dot_product_attention",
        ),
        (pool_in_a_loop, "still loops over the samples"),
        (step_by_step, "still loops over the steps"),
        (pool_with_all_queries, "as much memory"),
    ],
}
