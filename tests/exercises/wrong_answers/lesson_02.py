"""Typical wrong answers to the exercises of lesson 02, each with words its hint must hold."""

import torch


def nchw_loop(photos):
    return torch.cat([photo.permute(2, 0, 1).unsqueeze(0) / 255 for photo in photos])


def nchw_loop_into(photos):
    result = torch.empty(len(photos), photos.shape[3], *photos.shape[1:3])
    for n, photo in enumerate(photos):
        result[n] = photo.permute(2, 0, 1) / 255
    return result


def matvec_loop_into(matrices, vectors):
    result = matrices.new_empty(matrices.shape[:2])
    for b, (matrix, vector) in enumerate(zip(matrices, vectors, strict=True)):
        result[b] = matrix @ vector
    return result


def pick_loop_into(scores, labels):
    result = scores.new_empty(len(scores))
    for n in range(len(scores)):
        result[n] = scores[n, labels[n]]
    return result


def one_hot(scores, labels):
    mask = torch.nn.functional.one_hot(labels, scores.shape[1]).to(scores.dtype)
    return (scores * mask).sum(dim=1)


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
        (nchw_loop, "empty batch"),
        (nchw_loop_into, "still loops over the photographs"),
    ],
    "02.2": [
        (lambda m, v: m @ v, "cannot be multiplied"),
        (lambda m, v: torch.bmm(m, v), "batch2 must be a 3D tensor"),
        (lambda m, v: m @ v.unsqueeze(-1), "size 1 too many"),
        (lambda m, v: (m @ v.unsqueeze(-1)).squeeze(), "batch dimension is gone"),
        (lambda m, v: m @ v.T, "3 dimensions, expected 2"),
        (lambda m, v: m * v.unsqueeze(1), "3 dimensions, expected 2"),
        (lambda m, v: m @ v[0], "by the first vector"),
        (lambda m, v: v @ m[0].T, "by the first matrix"),
        (lambda m, v: (m * v.unsqueeze(1)).mean(dim=2), "averaged"),
        (lambda m, v: (m * v.unsqueeze(1)).sum(dim=1), "not the right sizes"),
        (lambda m, v: m @ v.sum(dim=0), "added up first"),
        (lambda m, v: torch.einsum("bnm,bm->bn", m, v.flip(0)), "in the opposite order"),
        (lambda m, v: torch.einsum("bnm,bm->nb", m, v), "the batch comes first"),
        (lambda m, v: torch.einsum("bnm,bm->n", m, v), "the batch dimension is gone"),
        (lambda m, v: torch.einsum("bnm,bm->bn", m.float(), v.float()), "expected torch.float64"),
        (lambda m, v: torch.stack([a @ b for a, b in zip(m, v, strict=True)]), "empty batch"),
        (matvec_loop_into, "still loops over the samples"),
    ],
    "02.3": [
        (lambda s, i: s[:, i], "2 dimensions, expected 1"),
        (lambda s, i: s[i], "2 dimensions, expected 1"),
        (lambda s, i: s.gather(1, i), "same number of dimensions"),
        (lambda s, i: s.gather(1, i.unsqueeze(1)), "size 1 too many"),
        (lambda s, i: s.gather(1, i.unsqueeze(1)).squeeze(), "with a batch of one"),
        (lambda s, i: s.gather(1, i.unsqueeze(0)).squeeze(0), "from the first sample"),
        (lambda s, i: s.take(i), "from the first sample"),
        (lambda s, i: s.max(dim=1).values, "largest score"),
        (lambda s, i: s[:, i].mean(dim=1), "averaged for each sample"),
        (lambda s, i: s[i, torch.arange(len(i))], "out of bounds"),
        (lambda s, i: s[:, i].mean(), "one number for the whole batch"),
        (lambda s, i: i, "expected torch.float32"),
        (lambda s, i: s[:, i[0]], "asked for the first label"),
        (one_hot, "holds NaN"),
        (lambda s, i: s.gather(1, i.unsqueeze(1)).squeeze(1).float(), "expected torch.float64"),
        (lambda s, i: torch.stack([a[b] for a, b in zip(s, i, strict=True)]), "empty batch"),
        (pick_loop_into, "still loops over the samples"),
    ],
}
