"""Typical wrong answers to the exercises of lesson 05, each with words its hint must hold."""

import torch
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence


def mask_of(padded, lengths):
    return (torch.arange(padded.shape[1]) < lengths[:, None]).unsqueeze(2)


def divided(sums, lengths):
    return sums / lengths.clamp(min=1)[:, None].to(sums.dtype)


def without_empty_ones(padded, lengths):
    """Divides by zero for a sequence of no items."""
    return torch.where(mask_of(padded, lengths), padded, 0).sum(dim=1) / lengths[:, None]


def by_multiplying(padded, lengths):
    return divided((padded * mask_of(padded, lengths)).sum(dim=1), lengths)


def nan_replaced_first(padded, lengths):
    return divided((padded.nan_to_num(0, 0, 0) * mask_of(padded, lengths)).sum(dim=1), lengths)


def nan_replaced_last(padded, lengths):
    return without_empty_ones(padded, lengths).nan_to_num(0)


def zeroed_in_place(padded, lengths):
    return divided(padded.masked_fill_(~mask_of(padded, lengths), 0).sum(dim=1), lengths)


def means_in_a_loop(padded, lengths):
    found = [
        row[:n].sum(dim=0) / max(n, 1) for row, n in zip(padded, lengths.tolist(), strict=True)
    ]
    return torch.stack(found) if found else padded[:, 0]


def index_of(targets):
    return torch.arange(len(targets)).repeat_interleave(torch.tensor([len(t) for t in targets]))


def numbered(targets, numbers):
    return torch.cat([numbers.unsqueeze(1).to(targets[0].dtype), torch.cat(targets)], dim=1)


def one_by_one(targets):
    return torch.cat([functional.pad(t, (1, 0), value=n) for n, t in enumerate(targets)])


def only_with_boxes(targets):
    targets = [target for target in targets if len(target)] or targets
    return numbered(targets, index_of(targets))


def segment_sum(values, lengths):
    index = torch.arange(len(lengths)).repeat_interleave(lengths)
    return values.new_zeros(len(lengths), values.shape[1]).index_add_(0, index, values)


def by_scatter(values, lengths):
    index = torch.arange(len(lengths)).repeat_interleave(lengths)[:, None].expand_as(values)
    zeros = values.new_zeros(len(lengths), values.shape[1])
    return zeros.scatter_reduce(0, index, values, "mean")


def by_split(values, lengths):
    parts = values.split(lengths.tolist())
    means = [part.sum(dim=0) / max(len(part), 1) for part in parts]
    return torch.stack(means) if len(lengths) else values.new_zeros(0, values.shape[1])


def by_difference(values, lengths):
    ends = lengths.cumsum(0)
    sums = values.cumsum(0)[ends - 1]
    return divided(sums, lengths)


def differences_of_sums(values, lengths):
    sums = functional.pad(values.cumsum(0), (0, 0, 1, 0))
    ends = lengths.cumsum(0)
    return divided(sums[ends] - sums[ends - lengths], lengths)


def differences_in_float64(values, lengths):
    return differences_of_sums(values.double(), lengths).to(values.dtype)


def by_one_hot(values, lengths):
    index = torch.arange(len(lengths)).repeat_interleave(lengths)
    members = functional.one_hot(index, len(lengths)).T.to(values.dtype)
    return divided(members @ values, lengths)


def by_members(values, lengths):
    index = torch.arange(len(lengths)).repeat_interleave(lengths)
    chosen = (index == torch.arange(len(lengths)).unsqueeze(1)).unsqueeze(2)
    return divided(torch.where(chosen, values, 0).sum(dim=1), lengths)


def by_jagged(values, lengths):
    """Does not say how long the longest is, and pads each sequence to the length of all."""
    offsets = functional.pad(lengths.cumsum(0), (1, 0))
    jagged = torch.nested.nested_tensor_from_jagged(values, offsets)
    return divided(torch.nested.to_padded_tensor(jagged, 0).sum(dim=1), lengths)


def tokens(scores, targets):
    return functional.cross_entropy(scores.transpose(1, 2), targets, reduction="none")


def losses_in_a_loop(scores, targets):
    pairs = zip(scores, targets, strict=True)
    found = [functional.cross_entropy(*pair, reduction="sum") for pair in pairs]
    return torch.stack(found) / real(targets).clamp(min=1) if found else scores[:, 0, 0]


def real(targets):
    return (targets != -100).sum(dim=1)


WRONG = {
    "05.1": [
        (lambda x, n: x.mean(dim=1), "the padding is in the mean"),
        (lambda x, n: (x * mask_of(x, n)).mean(dim=1), "divides by the longest length"),
        (lambda x, n: divided(x.sum(dim=1), n), "the padding is in the sum"),
        (lambda x, n: (x * mask_of(x, n)).sum(dim=1), "nothing divides by the length"),
        (
            lambda x, n: divided((x * mask_of(x, n - 1)).sum(dim=1), n - 1),
            "the last item of each sequence is missing",
        ),
        (lambda x, n: divided((x * ~mask_of(x, n)).sum(dim=1), n), "the wrong way round"),
        (lambda x, n: x * mask_of(x, n), "3 dimensions, expected 2"),
        (lambda x, n: torch.where(mask_of(x, n), x, 0).sum(dim=(1, 2)), "1 dimensions, expected 2"),
        (without_empty_ones, "with an empty sequence its result holds NaN"),
        (by_multiplying, "with a padding of infinity its result holds NaN"),
        (nan_replaced_first, "replace what is padding, not what is NaN"),
        (nan_replaced_last, "only an empty sequence has the mean zero"),
        (zeroed_in_place, "changes its input in place"),
        (means_in_a_loop, "still loops over the sequences"),
        (
            lambda x, n: divided(torch.where(mask_of(x, n), x, 0).nansum(dim=1), n),
            "with a NaN at a real position",
        ),
        (lambda x, n: torch.where(mask_of(x, n), x, torch.nan).nanmean(dim=1), "holds NaN"),
        (lambda x, n: torch.nanmean(x.masked_fill(~mask_of(x, n), torch.nan), 1), "holds NaN"),
    ],
    "05.2": [
        (lambda targets: torch.cat(targets), "not the right sizes"),
        (lambda targets: pad_sequence(targets, batch_first=True), "3 dimensions, expected 2"),
        (lambda targets: torch.stack(targets), "stack expects each tensor to be equal size"),
        (lambda targets: targets, "expected is one tensor"),
        (lambda targets: numbered(targets, index_of(targets) + 1), "numbered from 1"),
        (
            lambda targets: numbered(targets, index_of(targets)).roll(-1, dims=1),
            "it belongs in the first",
        ),
        (
            lambda targets: numbered(targets, torch.arange(len(index_of(targets)))),
            "a number of its own",
        ),
        (lambda targets: numbered(targets, 0 * index_of(targets)), "belong to image 0"),
        (only_with_boxes, "without a box are not counted"),
        (lambda targets: numbered(targets, index_of(targets)).float(), "expected torch.float64"),
        (
            lambda targets: torch.cat([index_of(targets)[:, None], torch.cat(targets)], dim=1),
            "with int32 it returns dtype torch.int64, expected torch.int32",
        ),
        (one_by_one, "still loops over the images"),
        (lambda targets: functional.pad(torch.cat(targets), (1, 0)), "belong to image 0"),
        (
            lambda targets: numbered(targets, torch.cat([torch.arange(len(t)) for t in targets])),
            "the boxes count within their image",
        ),
    ],
    "05.3": [
        (segment_sum, "has to be divided by the length"),
        (lambda v, n: segment_sum(v, n) / len(n), "divided by the number of sequences"),
        (lambda v, n: segment_sum(v, n) / n.max(), "by the longest length"),
        (by_scatter, "a zero is in every mean"),
        (lambda v, n: torch.segment_reduce(v, "mean", lengths=n), "its result holds NaN"),
        (lambda v, n: segment_sum(v, n) / n[:, None], "its result holds NaN"),
        (lambda v, n: v.reshape(len(n), -1, v.shape[1]).mean(dim=1), "RuntimeError"),
        (lambda v, n: v.mean(dim=0), "the batch dimension is gone"),
        (lambda v, n: v.mean(dim=0).expand(len(n), -1), "that of all values"),
        (lambda v, n: segment_sum(v, n) / n, "divide the columns"),
        (by_difference, "differ from the loop's, the first of them at index 1"),
        (by_split, "still loops over the sequences"),
        (differences_of_sums, "with a NaN in one of the sequences"),
        (differences_in_float64, "a NaN spoils those after it"),
        (by_one_hot, "as much memory"),
        (by_jagged, "as much memory"),
        (by_members, "as much memory"),
    ],
    "05.4": [
        (lambda s, t: tokens(s, t).mean(dim=1), "padding included"),
        (lambda s, t: tokens(s, t).sum(dim=1), "it is the sum over each sequence"),
        (lambda s, t: tokens(s, t).sum(dim=1) / real(t).sum(), "in the whole batch"),
        (lambda s, t: functional.cross_entropy(s.transpose(1, 2), t), "one number for the whole"),
        (lambda s, t: tokens(s, t), "2 dimensions, expected 1"),
        (lambda s, t: tokens(s, t.clamp(min=0)).mean(dim=1), "the padding counts as class 0"),
        (
            lambda s, t: (tokens(s, t) * (t > 0)).sum(dim=1) / (t > 0).sum(dim=1),
            "class 0 is ignored",
        ),
        (lambda s, t: tokens(s, t).sum(dim=1) / real(t), "all padding its result holds NaN"),
        (lambda s, t: functional.cross_entropy(s, t, reduction="none"), "Expected target size"),
        (lambda s, t: -tokens(s, t).sum(dim=1) / real(t).clamp(min=1), "the sign is wrong"),
        (losses_in_a_loop, "still loops over the sequences"),
        (lambda s, t: tokens(s, t).nansum(dim=1) / real(t).clamp(min=1), "hides a NaN"),
        (lambda s, t: tokens(s.nan_to_num(), t).sum(1) / real(t).clamp(min=1), "NaN at a real"),
        (
            lambda s, t: (tokens(s, t).sum(1) / real(t).clamp(min=1)).nan_to_num(0),
            "that is NaN at a real position",
        ),
        (
            lambda s, t: (tokens(s, t.clamp(min=0)) * (t != -100)).sum(1) / real(t).clamp(min=1),
            "zero times NaN is NaN",
        ),
        (lambda s, t: tokens(s, t).mean(dim=1) * t.shape[1] / real(t), "holds NaN"),
    ],
}
