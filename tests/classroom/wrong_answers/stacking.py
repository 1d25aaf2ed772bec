"""Typical wrong answers to the assignment "stacking": whole answer cells, for each task."""


def _cells(signature, bodies):
    """A cell for each body; a line of a body is indented as it stands."""
    return [
        signature + "\n" + "\n".join("    " + line for line in body.strip("\n").splitlines()) + "\n"
        for body in bodies
    ]


WRONG = {
    "answer-1": _cells(
        "def count_deviations(reports, reference, tolerance):",
        [
            # right, and a loop
            """
result = torch.zeros(len(reports), dtype=torch.int64)
for index, report in enumerate(reports):
    result[index] = ((report - reference).abs() > tolerance).sum()
return result
""",
            # a loop in a comprehension
            """
if not reports:
    return torch.zeros(0, dtype=torch.int64)
return torch.stack([((r - reference).abs() > tolerance).sum() for r in reports])
""",
            # the wrong dimension
            """
if not reports:
    return torch.zeros(0, dtype=torch.int64)
return ((torch.stack(reports) - reference).abs() > tolerance).sum(dim=0)
""",
            # the share, not the count
            """
if not reports:
    return torch.zeros(0)
return ((torch.stack(reports) - reference).abs() > tolerance).float().mean(dim=1)
""",
            # no absolute value
            """
if not reports:
    return torch.zeros(0, dtype=torch.int64)
return ((torch.stack(reports) - reference) > tolerance).sum(dim=1)
""",
            # the boundary counts
            """
if not reports:
    return torch.zeros(0, dtype=torch.int64)
return ((torch.stack(reports) - reference).abs() >= tolerance).sum(dim=1)
""",
            # forgets the empty list
            "return ((torch.stack(reports) - reference).abs() > tolerance).sum(dim=1)",
            # the empty batch has the wrong dtype
            """
if not reports:
    return torch.zeros(0)
return ((torch.stack(reports) - reference).abs() > tolerance).sum(dim=1)
""",
            # a list
            """
if not reports:
    return []
return ((torch.stack(reports) - reference).abs() > tolerance).sum(dim=1).tolist()
""",
            # None
            """
if reports:
    result = ((torch.stack(reports) - reference).abs() > tolerance).sum(dim=1)
""",
            # one number for all
            """
if not reports:
    return torch.zeros(0, dtype=torch.int64)
return ((torch.stack(reports) - reference).abs() > tolerance).sum()
""",
            # the notebook's tolerance, not the argument
            """
if not reports:
    return torch.zeros(0, dtype=torch.int64)
deviations = (torch.stack(reports) - reference).abs()
return (deviations > FACTOR * torch.stack(reports).std(dim=0)).sum(dim=1)
""",
            # the notebook's data, not the argument
            "return ((wines - reference).abs() > tolerance).sum(dim=1)",
            # numbers of another year
            "return torch.tensor([0, 2, 1, 0, 0, 3, 2, 4, 1, 1])",
            # float
            """
if not reports:
    return torch.zeros(0)
return ((torch.stack(reports) - reference).abs() > tolerance).float().sum(dim=1)
""",
            # changes the reference
            """
if not reports:
    return torch.zeros(0, dtype=torch.int64)
batch = torch.stack(reports)
return (((reference.neg_()) + batch).abs() > tolerance).sum(dim=1)
""",
            # cat instead of stack
            """
if not reports:
    return torch.zeros(0, dtype=torch.int64)
return ((torch.cat(reports) - reference).abs() > tolerance).sum(dim=0)
""",
            # cat and a number of analyses that is this year's
            """
if not reports:
    return torch.zeros(0, dtype=torch.int64)
batch = torch.cat(reports).reshape(-1, len(ANALYSES))
return ((batch - reference).abs() > tolerance).sum(dim=1)
""",
            # failed analyses count
            """
if not reports:
    return torch.zeros(0, dtype=torch.int64)
return (~((torch.stack(reports) - reference).abs() <= tolerance)).sum(dim=1)
""",
            # the empty list gives a single zero
            """
if not reports:
    return torch.zeros(1, dtype=torch.int64)
return ((torch.stack(reports) - reference).abs() > tolerance).sum(dim=1)
""",
        ],
    ),
    "answer-2": _cells(
        "def to_tiles(photo, side, mean, std):",
        [
            # right, and a loop over tiles
            """
height, width, channels = photo.shape
tiles = torch.empty(height // side * (width // side), channels, side, side)
n = 0
for row in range(height // side):
    for column in range(width // side):
        tile = photo[row * side : (row + 1) * side, column * side : (column + 1) * side]
        tiles[n] = (tile.permute(2, 0, 1) / 255 - mean[:, None, None]) / std[:, None, None]
        n += 1
return tiles
""",
            # a loop over channels
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
whole = photo[: rows * side, : columns * side] / 255
parts = []
for c in range(photo.shape[2]):
    part = (whole[:, :, c] - mean[c]) / std[c]
    part = part.reshape(rows, side, columns, side).transpose(1, 2)
    parts.append(part.reshape(rows * columns, side, side))
return torch.stack(parts, dim=1)
""",
            # a list of tiles from split: a loop over the rows of tiles
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
whole = photo[: rows * side, : columns * side].permute(2, 0, 1) / 255
whole = (whole - mean[:, None, None]) / std[:, None, None]
tiles = [t for strip in whole.split(side, 1) for t in strip.split(side, 2)]
return torch.stack(tiles) if tiles else torch.zeros(0, photo.shape[2], side, side)
""",
            # reshape alone
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
whole = photo[: rows * side, : columns * side]
tiles = whole.reshape(rows * columns, photo.shape[2], side, side) / 255
return (tiles - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
""",
            # channels first, then reshape
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
whole = photo[: rows * side, : columns * side].permute(2, 0, 1)
tiles = whole.reshape(rows * columns, photo.shape[2], side, side) / 255
return (tiles - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
""",
            # nothing is cut off
            """
height, width, channels = photo.shape
grid = photo.reshape(height // side, side, width // side, side, channels)
tiles = grid.permute(0, 2, 4, 1, 3).flatten(0, 1) / 255
return (tiles - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
""",
            # column by column
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
grid = photo[: rows * side, : columns * side].reshape(rows, side, columns, side, photo.shape[2])
tiles = grid.permute(2, 0, 4, 1, 3).reshape(rows * columns, -1, side, side) / 255
return (tiles - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
""",
            # tiles are turned over
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
grid = photo[: rows * side, : columns * side].reshape(rows, side, columns, side, photo.shape[2])
tiles = grid.permute(0, 2, 4, 3, 1).reshape(rows * columns, photo.shape[2], side, side) / 255
return (tiles - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
""",
            # channels last
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
grid = photo[: rows * side, : columns * side].reshape(rows, side, columns, side, photo.shape[2])
tiles = grid.permute(0, 2, 1, 3, 4).reshape(rows * columns, side, side, photo.shape[2]) / 255
return (tiles - mean) / std
""",
            # mean and std meet the columns
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
grid = photo[: rows * side, : columns * side].reshape(rows, side, columns, side, photo.shape[2])
tiles = grid.permute(0, 2, 4, 1, 3).reshape(rows * columns, photo.shape[2], side, side) / 255
return (tiles - mean) / std
""",
            # normalised before the division by 255
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
grid = photo[: rows * side, : columns * side].reshape(rows, side, columns, side, photo.shape[2])
tiles = grid.permute(0, 2, 4, 1, 3).reshape(rows * columns, photo.shape[2], side, side)
return (tiles - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
""",
            # the largest value of the photograph
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
grid = photo[: rows * side, : columns * side].reshape(rows, side, columns, side, photo.shape[2])
tiles = grid.permute(0, 2, 4, 1, 3).reshape(rows * columns, photo.shape[2], side, side)
return (tiles / max(int(photo.max()), 1) - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
""",
            # divides by 256
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
grid = photo[: rows * side, : columns * side].reshape(rows, side, columns, side, photo.shape[2])
tiles = grid.permute(0, 2, 4, 1, 3).reshape(rows * columns, photo.shape[2], side, side) / 256
return (tiles - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
""",
            # statistics of each tile, not the arguments
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
grid = photo[: rows * side, : columns * side].reshape(rows, side, columns, side, photo.shape[2])
tiles = grid.permute(0, 2, 4, 1, 3).reshape(rows * columns, photo.shape[2], side, side) / 255
return (tiles - tiles.mean((2, 3), True)) / tiles.std((2, 3), keepdim=True)
""",
            # three channels, always
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
grid = photo[: rows * side, : columns * side].reshape(rows, side, columns, side, 3)
tiles = grid.permute(0, 2, 4, 1, 3).reshape(rows * columns, 3, side, side) / 255
return (tiles - mean.view(3, 1, 1)) / std.view(3, 1, 1)
""",
            # the year's constant, not the argument
            """
rows, columns = photo.shape[0] // SIDE, photo.shape[1] // SIDE
grid = photo[: rows * SIDE, : columns * SIDE].reshape(rows, SIDE, columns, SIDE, photo.shape[2])
tiles = grid.permute(0, 2, 4, 1, 3).reshape(rows * columns, -1, SIDE, SIDE) / 255
return (tiles - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
""",
            # numbers of another year
            """
side = 30
rows, columns = photo.shape[0] // side, photo.shape[1] // side
grid = photo[: rows * side, : columns * side].reshape(rows, side, columns, side, photo.shape[2])
tiles = grid.permute(0, 2, 4, 1, 3).reshape(rows * columns, photo.shape[2], side, side) / 255
return (tiles - torch.tensor([0.48, 0.46, 0.41]).view(3, 1, 1)) / 0.27
""",
            # float64
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
grid = photo[: rows * side, : columns * side].reshape(rows, side, columns, side, photo.shape[2])
tiles = grid.permute(0, 2, 4, 1, 3).reshape(rows * columns, -1, side, side).double() / 255
return (tiles - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
""",
            # changes the mean
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
grid = photo[: rows * side, : columns * side].reshape(rows, side, columns, side, photo.shape[2])
tiles = grid.permute(0, 2, 4, 1, 3).reshape(rows * columns, photo.shape[2], side, side)
mean *= 255
return (tiles - mean.view(-1, 1, 1)) / (255 * std.view(-1, 1, 1))
""",
            # -1 cannot be found out where there is no tile
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
grid = photo[: rows * side, : columns * side].reshape(rows, side, columns, side, photo.shape[2])
tiles = grid.permute(0, 2, 4, 1, 3).reshape(rows * columns, -1, side, side) / 255
return (tiles - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
""",
            # None
            """
rows, columns = photo.shape[0] // side, photo.shape[1] // side
grid = photo[: rows * side, : columns * side].reshape(rows, side, columns, side, photo.shape[2])
tiles = grid.permute(0, 2, 4, 1, 3).reshape(rows * columns, photo.shape[2], side, side) / 255
tiles = (tiles - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)
""",
        ],
    ),
    "answer-3": _cells(
        "def distances(a, b, weights):",
        [
            # right, and a loop over rows
            """
result = a.new_empty(len(a), len(b))
for i in range(len(a)):
    result[i] = (weights[i] * (a[i] - b) ** 2).sum(dim=1).sqrt()
return result
""",
            # a loop over references
            """
if len(b) == 0:
    return a.new_empty(len(a), 0)
return torch.stack([(weights * (a - row) ** 2).sum(1).sqrt() for row in b], dim=1)
""",
            # a loop over the numbers of a row
            """
total = a.new_zeros(len(a), len(b))
for d in range(a.shape[1]):
    total = total + weights[:, d, None] * (a[:, d, None] - b[:, d]) ** 2
return total.sqrt()
""",
            # the weights meet the references
            "return (weights * (a.unsqueeze(1) - b) ** 2).sum(dim=2).sqrt()",
            # the first sample's weights
            "return (weights[:1] * (a.unsqueeze(1) - b) ** 2).sum(dim=2).sqrt()",
            # no weights
            "return ((a.unsqueeze(1) - b) ** 2).sum(dim=2).sqrt()",
            "return torch.cdist(a, b)",
            # no root
            "return (weights.unsqueeze(1) * (a.unsqueeze(1) - b) ** 2).sum(dim=2)",
            # weights squared
            "return ((weights.unsqueeze(1) * (a.unsqueeze(1) - b)) ** 2).sum(dim=2).sqrt()",
            # transposed
            "return (weights * (a - b.unsqueeze(1)) ** 2).sum(dim=2).sqrt()",
            # the wrong dimension
            "return (weights.unsqueeze(1) * (a.unsqueeze(1) - b) ** 2).sum(dim=1).sqrt()",
            # mean
            "return (weights.unsqueeze(1) * (a.unsqueeze(1) - b) ** 2).mean(dim=2).sqrt()",
            # absolute differences
            "return (weights.unsqueeze(1) * (a.unsqueeze(1) - b).abs()).sum(dim=2)",
            # pairs in turn, not all pairs
            "return (weights * (a - b[: len(a)]) ** 2).sum(dim=1).sqrt()",
            # the expanded square: rounding makes it negative
            """
squares = (weights * a**2).sum(1, keepdim=True) - 2 * (weights * a) @ b.T + weights @ (b**2).T
return squares.sqrt()
""",
            # the expanded square with a floor
            """
squares = (weights * a**2).sum(1, keepdim=True) - 2 * (weights * a) @ b.T + weights @ (b**2).T
return squares.clamp(min=1e-4).sqrt()
""",
            # float32, always
            """
a, b, weights = a.float(), b.float(), weights.float()
return (weights.unsqueeze(1) * (a.unsqueeze(1) - b) ** 2).sum(dim=2).sqrt()
""",
            # changes the weights
            """
weights.sqrt_()
return ((weights.unsqueeze(1) * (a.unsqueeze(1) - b)) ** 2).sum(dim=2).sqrt()
""",
            # the notebook's references
            """
b = standard[-REFERENCES:]
return (weights.unsqueeze(1) * (a.unsqueeze(1) - b) ** 2).sum(dim=2).sqrt()
""",
            # a number of references of another year
            """
b = b.reshape(6, -1)
return (weights.unsqueeze(1) * (a.unsqueeze(1) - b) ** 2).sum(dim=2).sqrt()
""",
            # squeeze loses the batch of one
            "return (weights.unsqueeze(1) * (a.unsqueeze(1) - b) ** 2).sum(dim=2).sqrt().squeeze()",
            # vmap over the wrong argument
            """
def one(row, weight):
    return (weight * (row - b) ** 2).sum(dim=1).sqrt()
return torch.vmap(one, in_dims=(0, 0), out_dims=1)(a, weights)
""",
            # a list
            "return list((weights.unsqueeze(1) * (a.unsqueeze(1) - b) ** 2).sum(dim=2).sqrt())",
            # None
            "result = (weights.unsqueeze(1) * (a.unsqueeze(1) - b) ** 2).sum(dim=2).sqrt()",
        ],
    ),
    "answer-4": _cells(
        "def scores(first, second, matrices, clinic):",
        [
            # right, and a loop over tumours
            """
result = first.new_empty(len(first))
for n in range(len(first)):
    result[n] = first[n] @ matrices[clinic[n]] @ second[n]
return result
""",
            # a loop over clinics
            """
result = first.new_zeros(len(first))
for k in range(len(matrices)):
    result = torch.where(clinic == k, ((first @ matrices[k]) * second).sum(dim=1), result)
return result
""",
            # the matrix of the first clinic
            'return torch.einsum("np,pq,nq->n", first, matrices[0], second)',
            # all clinics added up
            'return torch.einsum("np,kpq,nq->n", first, matrices, second)',
            # matrix n, not that of the clinic
            'return torch.einsum("np,npq,nq->n", first, matrices[: len(first)], second)',
            # the index in the wrong dimension
            'return torch.einsum("np,pnq,nq->n", first, matrices[:, clinic], second)',
            # all scores, without choosing
            'return torch.einsum("np,kpq,nq->nk", first, matrices, second)',
            # chooses for all
            'return torch.einsum("np,kpq,nq->nk", first, matrices, second)[:, clinic]',
            # the largest
            'return torch.einsum("np,kpq,nq->nk", first, matrices, second).amax(dim=1)',
            # one number
            'return torch.einsum("np,npq,nq->", first, matrices[clinic], second)',
            # mean instead of sum
            """
return (first.unsqueeze(2) * matrices[clinic] * second.unsqueeze(1)).mean(dim=(1, 2))
""",
            # square matrices only
            'return torch.einsum("np,nqp,nq->n", first, matrices[clinic], second)',
            # matmul of the batches as matrices
            "return (first @ matrices[clinic] @ second.T).diagonal()",
            # dimensions of size 1 too many
            "return first.unsqueeze(1) @ matrices[clinic] @ second.unsqueeze(2)",
            # squeeze loses the batch of one
            "return (first.unsqueeze(1) @ matrices[clinic] @ second.unsqueeze(2)).squeeze()",
            # the second vector is missing
            "return (first.unsqueeze(1) @ matrices[clinic]).sum(dim=(1, 2))",
            # float32, always
            """
picked = matrices[clinic].float()
return torch.einsum("np,npq,nq->n", first.float(), picked, second.float())
""",
            # the notebook's matrices
            """
matrices = globals()["matrices"]
return torch.einsum("np,npq,nq->n", first, matrices[clinic % CLINICS], second)
""",
            # sizes of another year
            """
picked = matrices[clinic].reshape(-1, 5, 5)
return torch.einsum("np,npq,nq->n", first, picked, second)
""",
            # a one-hot that counts the clinics in the batch
            """
chosen = functional.one_hot(clinic).to(first.dtype)
return torch.einsum("np,kpq,nq,nk->n", first, matrices, second, chosen)
""",
            # changes its input
            """
first.unsqueeze_(1)
return (first @ matrices[clinic] @ second.unsqueeze(2)).flatten()
""",
            # a list
            'return torch.einsum("np,npq,nq->n", first, matrices[clinic], second).tolist()',
            # None
            'result = torch.einsum("np,npq,nq->n", first, matrices[clinic], second)',
            # sorts by clinic and forgets to sort back
            """
order = clinic.argsort()
picked = matrices[clinic[order]]
return torch.einsum("np,npq,nq->n", first[order], picked, second[order])
""",
        ],
    ),
    "answer-5": _cells(
        "def alarm(report, limit, knee):",
        [
            # the function for one sample, as it was
            """
above = report[report > limit]
if len(above) == 0:
    return report.max() - limit
excess = (above - limit).mean()
if excess.item() > knee:
    return knee * (1 + torch.log(excess / knee))
return excess
""",
            # where for the branches, and the mask as before
            """
above = report[report > limit]
excess = (above - limit).mean()
damped = knee * (1 + torch.log(excess / knee))
return torch.where(excess > knee, damped, excess)
""",
            # an if on the count
            """
above = report > limit
if above.sum() == 0:
    return report.max() - limit
excess = torch.where(above, report - limit, 0.0).sum() / above.sum()
return torch.where(excess > knee, knee * (1 + torch.log(excess / knee)), excess)
""",
            # right values, and NaN in the gradient (log of 0)
            """
above = report > limit
excess = ((report - limit) * above).sum() / above.sum().clamp(min=1)
found = torch.where(excess > knee, knee * (1 + torch.log(excess / knee)), excess)
return torch.where(above.any(), found, report.max() - limit)
""",
            # right values, and NaN in the gradient (0 / 0)
            """
above = report > limit
excess = ((report - limit) * above).sum() / above.sum()
harmless = torch.where(excess > knee, excess, knee)
found = torch.where(excess > knee, knee * (1 + torch.log(harmless / knee)), excess)
return torch.where(above.any(), found, report.max() - limit)
""",
            # the gradient is cut
            """
above = report > limit
excess = torch.where(above, report - limit, 0.0).sum() / above.sum().clamp(min=1)
harmless = torch.where(excess > knee, excess, knee).detach()
found = torch.where(excess > knee, knee * (1 + torch.log(harmless / knee)), excess)
return torch.where(above.any(), found, report.max() - limit)
""",
            # the mean of all analyses
            """
above = report > limit
excess = torch.where(above, report - limit, 0.0).mean()
harmless = torch.where(excess > knee, excess, knee)
found = torch.where(excess > knee, knee * (1 + torch.log(harmless / knee)), excess)
return torch.where(above.any(), found, report.max() - limit)
""",
            # the sum
            """
above = report > limit
excess = torch.where(above, report - limit, 0.0).sum()
harmless = torch.where(excess > knee, excess, knee)
found = torch.where(excess > knee, knee * (1 + torch.log(harmless / knee)), excess)
return torch.where(above.any(), found, report.max() - limit)
""",
            # no damping
            """
above = report > limit
excess = torch.where(above, report - limit, 0.0).sum() / above.sum().clamp(min=1)
return torch.where(above.any(), excess, report.max() - limit)
""",
            # damped always
            """
above = report > limit
excess = torch.where(above, report - limit, knee).sum() / above.sum().clamp(min=1)
return torch.where(above.any(), knee * (1 + torch.log(excess / knee)), report.max() - limit)
""",
            # the third branch is missing
            """
above = report > limit
excess = torch.where(above, report - limit, 0.0).sum() / above.sum().clamp(min=1)
harmless = torch.where(excess > knee, excess, knee)
return torch.where(excess > knee, knee * (1 + torch.log(harmless / knee)), excess)
""",
            # the smallest value in the third branch
            """
above = report > limit
excess = torch.where(above, report - limit, 0.0).sum() / above.sum().clamp(min=1)
harmless = torch.where(excess > knee, excess, knee)
found = torch.where(excess > knee, knee * (1 + torch.log(harmless / knee)), excess)
return torch.where(above.any(), found, report.min() - limit)
""",
            # the sides of where are swapped
            """
above = report > limit
excess = torch.where(above, report - limit, 0.0).sum() / above.sum().clamp(min=1)
harmless = torch.where(excess > knee, excess, knee)
found = torch.where(excess > knee, excess, knee * (1 + torch.log(harmless / knee)))
return torch.where(above.any(), found, report.max() - limit)
""",
            # values at the limit count
            """
above = report >= limit
excess = torch.where(above, report - limit, 0.0).sum() / above.sum().clamp(min=1)
harmless = torch.where(excess > knee, excess, knee)
found = torch.where(excess > knee, knee * (1 + torch.log(harmless / knee)), excess)
return torch.where(above.any(), found, report.max() - limit)
""",
            # the year's constants, not the arguments
            """
above = report > LIMIT
excess = torch.where(above, report - LIMIT, 0.0).sum() / above.sum().clamp(min=1)
harmless = torch.where(excess > KNEE, excess, KNEE)
found = torch.where(excess > KNEE, KNEE * (1 + torch.log(harmless / KNEE)), excess)
return torch.where(above.any(), found, report.max() - LIMIT)
""",
            # numbers of another year
            """
limit, knee = 1.0, 0.45
above = report > limit
excess = torch.where(above, report - limit, 0.0).sum() / above.sum().clamp(min=1)
harmless = torch.where(excess > knee, excess, knee)
found = torch.where(excess > knee, knee * (1 + torch.log(harmless / knee)), excess)
return torch.where(above.any(), found, report.max() - limit)
""",
            # a loop over analyses
            """
total, count = report.new_zeros(()), report.new_zeros(())
for value in report:
    total = total + torch.where(value > limit, value - limit, 0.0)
    count = count + (value > limit)
excess = total / count.clamp(min=1)
harmless = torch.where(excess > knee, excess, knee)
found = torch.where(excess > knee, knee * (1 + torch.log(harmless / knee)), excess)
return torch.where(count > 0, found, report.max() - limit)
""",
            # written for a batch
            """
above = report > limit
excess = torch.where(above, report - limit, 0.0).sum(dim=1) / above.sum(dim=1).clamp(min=1)
harmless = torch.where(excess > knee, excess, knee)
found = torch.where(excess > knee, knee * (1 + torch.log(harmless / knee)), excess)
return torch.where(above.any(dim=1), found, report.amax(dim=1) - limit)
""",
            # a dimension too many
            """
above = report > limit
count = above.sum(dim=0, keepdim=True)
excess = torch.where(above, report - limit, 0.0).sum(dim=0, keepdim=True) / count.clamp(min=1)
harmless = torch.where(excess > knee, excess, knee)
found = torch.where(excess > knee, knee * (1 + torch.log(harmless / knee)), excess)
return torch.where(count > 0, found, report.max() - limit)
""",
            # changes its input
            """
above = report > limit
none = report.max() - limit
report -= limit
excess = torch.where(above, report, 0.0).sum() / above.sum().clamp(min=1)
harmless = torch.where(excess > knee, excess, knee)
found = torch.where(excess > knee, knee * (1 + torch.log(harmless / knee)), excess)
return torch.where(above.any(), found, none)
""",
            # float32, always
            """
report = report.float()
above = report > limit
excess = torch.where(above, report - limit, 0.0).sum() / above.sum().clamp(min=1)
harmless = torch.where(excess > knee, excess, knee)
found = torch.where(excess > knee, knee * (1 + torch.log(harmless / knee)), excess)
return torch.where(above.any(), found, report.max() - limit)
""",
            # None
            """
above = report > limit
excess = torch.where(above, report - limit, 0.0).sum() / above.sum().clamp(min=1)
""",
        ],
    ),
    "answer-6": _cells(
        "def clipped_gradient(inputs, labels, weight, limit, chunk):\n"
        "    def loss(weight, row, label):\n"
        "        return functional.cross_entropy((row @ weight).unsqueeze(0), label.unsqueeze(0))\n"
        "\n"
        "    def clipped(row, label):\n"
        "        gradient = grad(loss)(weight, row, label)\n"
        "        norm = gradient.square().sum().sqrt()\n"
        "        return gradient * (limit / norm).clamp(max=1), norm\n",
        [
            # right, and a loop over samples
            """
total, norms = torch.zeros_like(weight), []
for row, label in zip(inputs, labels):
    gradient, norm = clipped(row, label)
    total += gradient
    norms.append(norm)
return total / len(inputs), torch.stack(norms)
""",
            # all at once
            """
gradients, norms = torch.vmap(clipped)(inputs, labels)
return gradients.mean(dim=0), norms
""",
            # chunks that are all kept
            """
gradients, norms = torch.vmap(clipped, chunk_size=chunk)(inputs, labels)
return gradients.mean(dim=0), norms
""",
            # kept in a list
            """
parts = zip(inputs.split(chunk), labels.split(chunk))
found = [torch.vmap(clipped)(*part) for part in parts]
gradients = torch.cat([gradients for gradients, _ in found])
return gradients.mean(dim=0), torch.cat([norms for _, norms in found])
""",
            # the mean of the chunks' means
            """
means, norms = [], []
for part in zip(inputs.split(chunk), labels.split(chunk)):
    gradients, of_chunk = torch.vmap(clipped)(*part)
    means.append(gradients.mean(dim=0))
    norms.append(of_chunk)
return torch.stack(means).mean(dim=0), torch.cat(norms)
""",
            # the sum
            """
total, norms = torch.zeros_like(weight), []
for part in zip(inputs.split(chunk), labels.split(chunk)):
    gradients, of_chunk = torch.vmap(clipped)(*part)
    total += gradients.sum(dim=0)
    norms.append(of_chunk)
return total, torch.cat(norms)
""",
            # divided by the chunk
            """
total, norms = torch.zeros_like(weight), []
for part in zip(inputs.split(chunk), labels.split(chunk)):
    gradients, of_chunk = torch.vmap(clipped)(*part)
    total += gradients.sum(dim=0) / chunk
    norms.append(of_chunk)
return total, torch.cat(norms)
""",
            # the last, shorter chunk is dropped
            """
total, norms = torch.zeros_like(weight), []
for start in range(0, len(inputs) - chunk + 1, chunk):
    part = inputs[start : start + chunk], labels[start : start + chunk]
    gradients, of_chunk = torch.vmap(clipped)(*part)
    total += gradients.sum(dim=0)
    norms.append(of_chunk)
return total / len(inputs), torch.cat(norms)
""",
            # one sample of each chunk is counted twice
            """
total, norms = torch.zeros_like(weight), []
for start in range(0, len(inputs), chunk):
    part = inputs[start : start + chunk + 1], labels[start : start + chunk + 1]
    gradients, of_chunk = torch.vmap(clipped)(*part)
    total += gradients.sum(dim=0)
    norms.append(of_chunk[:chunk])
return total / len(inputs), torch.cat(norms)
""",
            # the mean gradient is clipped
            """
total, norms = torch.zeros_like(weight), []
for rows, targets in zip(inputs.split(chunk), labels.split(chunk)):
    gradients = torch.vmap(grad(loss), in_dims=(None, 0, 0))(weight, rows, targets)
    total += gradients.sum(dim=0)
    norms.append(gradients.square().sum(dim=(1, 2)).sqrt())
mean = total / len(inputs)
return mean * (limit / mean.square().sum().sqrt()).clamp(max=1), torch.cat(norms)
""",
            # the gradient of each chunk is clipped
            """
total, norms = torch.zeros_like(weight), []
for rows, targets in zip(inputs.split(chunk), labels.split(chunk)):
    gradients = torch.vmap(grad(loss), in_dims=(None, 0, 0))(weight, rows, targets)
    norms.append(gradients.square().sum(dim=(1, 2)).sqrt())
    mean = gradients.mean(dim=0)
    total += len(rows) * mean * (limit / mean.square().sum().sqrt()).clamp(max=1)
return total / len(inputs), torch.cat(norms)
""",
            # everything is scaled to the limit
            """
total, norms = torch.zeros_like(weight), []
for rows, targets in zip(inputs.split(chunk), labels.split(chunk)):
    gradients = torch.vmap(grad(loss), in_dims=(None, 0, 0))(weight, rows, targets)
    norms.append(gradients.square().sum(dim=(1, 2)).sqrt())
    total += (gradients * (limit / norms[-1])[:, None, None]).sum(dim=0)
return total / len(inputs), torch.cat(norms)
""",
            # NaN with a gradient of zero
            """
total, norms = torch.zeros_like(weight), []
for rows, targets in zip(inputs.split(chunk), labels.split(chunk)):
    gradients = torch.vmap(grad(loss), in_dims=(None, 0, 0))(weight, rows, targets)
    norms.append(gradients.square().sum(dim=(1, 2)).sqrt())
    scale = norms[-1].clamp(max=limit) / norms[-1]
    total += (gradients * scale[:, None, None]).sum(dim=0)
return total / len(inputs), torch.cat(norms)
""",
            # no square root
            """
total, norms = torch.zeros_like(weight), []
for rows, targets in zip(inputs.split(chunk), labels.split(chunk)):
    gradients = torch.vmap(grad(loss), in_dims=(None, 0, 0))(weight, rows, targets)
    norms.append(gradients.square().sum(dim=(1, 2)))
    total += (gradients * (limit / norms[-1]).clamp(max=1)[:, None, None]).sum(dim=0)
return total / len(inputs), torch.cat(norms)
""",
            # single numbers are cut off
            """
total, norms = torch.zeros_like(weight), []
for rows, targets in zip(inputs.split(chunk), labels.split(chunk)):
    gradients = torch.vmap(grad(loss), in_dims=(None, 0, 0))(weight, rows, targets)
    norms.append(gradients.square().sum(dim=(1, 2)).sqrt())
    total += gradients.clamp(-limit, limit).sum(dim=0)
return total / len(inputs), torch.cat(norms)
""",
            # each column of a gradient has its own norm
            """
total, norms = torch.zeros_like(weight), []
for rows, targets in zip(inputs.split(chunk), labels.split(chunk)):
    gradients = torch.vmap(grad(loss), in_dims=(None, 0, 0))(weight, rows, targets)
    norms.append(gradients.square().sum(dim=(1, 2)).sqrt())
    columns = gradients.square().sum(dim=1, keepdim=True).sqrt()
    total += (gradients * (limit / columns).clamp(max=1)).sum(dim=0)
return total / len(inputs), torch.cat(norms)
""",
            # norms after clipping
            """
total, norms = torch.zeros_like(weight), []
for part in zip(inputs.split(chunk), labels.split(chunk)):
    gradients, _ = torch.vmap(clipped)(*part)
    total += gradients.sum(dim=0)
    norms.append(gradients.square().sum(dim=(1, 2)).sqrt())
return total / len(inputs), torch.cat(norms)
""",
            # no norms
            """
total = torch.zeros_like(weight)
for part in zip(inputs.split(chunk), labels.split(chunk)):
    total += torch.vmap(clipped)(*part)[0].sum(dim=0)
return total / len(inputs)
""",
            # norms as a list
            """
total, norms = torch.zeros_like(weight), []
for part in zip(inputs.split(chunk), labels.split(chunk)):
    gradients, of_chunk = torch.vmap(clipped)(*part)
    total += gradients.sum(dim=0)
    norms += of_chunk.tolist()
return total / len(inputs), norms
""",
            # the year's constants, not the arguments
            """
def clipped(row, label):
    gradient = grad(loss)(weight, row, label)
    norm = gradient.square().sum().sqrt()
    return gradient * (CLIP / norm).clamp(max=1), norm
total, norms = torch.zeros_like(weight), []
for part in zip(inputs.split(chunk), labels.split(chunk)):
    gradients, of_chunk = torch.vmap(clipped)(*part)
    total += gradients.sum(dim=0)
    norms.append(of_chunk)
return total / len(inputs), torch.cat(norms)
""",
            # the chunk of another year
            """
total, norms = torch.zeros_like(weight), []
for part in zip(inputs.split(100), labels.split(100)):
    gradients, of_chunk = torch.vmap(clipped)(*part)
    total += gradients.sum(dim=0)
    norms.append(of_chunk)
return total / len(inputs), torch.cat(norms)
""",
            # changes the weight
            """
before, norms = weight.clone(), []
total = weight.zero_()
for rows, targets in zip(inputs.split(chunk), labels.split(chunk)):
    gradients = torch.vmap(grad(loss), in_dims=(None, 0, 0))(before, rows, targets)
    norms.append(gradients.square().sum(dim=(1, 2)).sqrt())
    total += (gradients * (limit / norms[-1]).clamp(max=1)[:, None, None]).sum(dim=0)
return total / len(inputs), torch.cat(norms)
""",
            # float32, always
            """
total, norms = torch.zeros(weight.shape), []
for part in zip(inputs.split(chunk), labels.split(chunk)):
    gradients, of_chunk = torch.vmap(clipped)(*part)
    total += gradients.sum(dim=0)
    norms.append(of_chunk)
return total / len(inputs), torch.cat(norms)
""",
            # None
            """
total = torch.zeros_like(weight)
for part in zip(inputs.split(chunk), labels.split(chunk)):
    total += torch.vmap(clipped)(*part)[0].sum(dim=0)
""",
        ],
    ),
}
