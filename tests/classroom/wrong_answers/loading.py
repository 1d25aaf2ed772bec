"""Wrong answers to the assignment `loading`: each must fail the test cell of its own task."""


def _class(name, init, length, item, base="Dataset"):
    """The source of a class with these three bodies, each of one or more lines."""
    arguments = {"Wines": "table, features, label", "Patches": "photo, corners, size"}[name]
    index = {"Wines": "position", "Patches": "indices"}[name]
    parts = [
        (f"__init__(self, {arguments})", init),
        ("__len__(self)", length),
        (f"__getitem__(self, {index})", item),
    ]
    lines = [f"class {name}({base}):"]
    for head, body in parts:
        lines.append(f"    def {head}:")
        lines += [f"        {line}" for line in body.splitlines()]
    return "\n".join(lines) + "\n"


_KEEP = "self.table, self.features, self.label = table, features, label"
_LEN = "return len(self.table)"


def _wines(item, init=_KEEP, length=_LEN):
    return _class("Wines", init, length, item)


_WINES = [
    # index labels instead of positions
    _wines(
        "row = self.table.loc[position]\n"
        "x = torch.tensor([float(row[name]) for name in self.features])\n"
        "return x, torch.tensor(int(row[self.label]))"
    ),
    # a column looked up by label
    _wines(
        "x = torch.tensor(self.table[self.features].iloc[position].to_numpy(np.float32))\n"
        "return x, torch.tensor(int(self.table[self.label][position]))"
    ),
    # float64
    _wines(
        "x = torch.tensor(self.table[self.features].iloc[position].to_numpy(np.float64))\n"
        "return x, torch.tensor(int(self.table[self.label].iloc[position]))"
    ),
    # the label as float
    _wines(
        "row = self.table.iloc[position]\n"
        "x = torch.tensor([float(row[name]) for name in self.features])\n"
        "return x, torch.tensor(float(row[self.label]))"
    ),
    # int32 labels
    _wines(
        "return self.x[position], self.y[position]",
        "self.x = torch.from_numpy(table[features].to_numpy(np.float32))\n"
        "self.y = torch.from_numpy(table[label].to_numpy(np.int32))",
        "return len(self.x)",
    ),
    # the constant instead of the argument
    _wines(
        "row = self.table.iloc[position]\n"
        "x = torch.tensor([float(row[name]) for name in FEATURES])\n"
        "return x, torch.tensor(int(row[self.label]))"
    ),
    # columns written down from another year
    _wines(
        "row = self.table.iloc[position]\n"
        "names = ['alcohol', 'ash', 'hue', 'proline', 'magnesium']\n"
        "x = torch.tensor([float(row[name]) for name in names])\n"
        "return x, torch.tensor(int(row['target']))"
    ),
    # the global table
    _wines(
        "row = WINES.iloc[position]\n"
        "x = torch.tensor([float(row[name]) for name in self.features])\n"
        "return x, torch.tensor(int(row[self.label]))"
    ),
    # the table is changed: its index is dropped in place
    _wines(
        "x = torch.tensor([float(self.table.loc[position, name]) for name in self.features])\n"
        "return x, torch.tensor(int(self.table.loc[position, self.label]))",
        _KEEP + "\nself.table.reset_index(drop=True, inplace=True)",
    ),
    # the label's column is taken out of the table
    _wines(
        "x = torch.tensor([float(v) for v in self.table[self.features].iloc[position]])\n"
        "return x, torch.tensor(int(self.y.iloc[position]))",
        _KEEP + "\nself.y = table.pop(label)",
    ),
    # the label is always called "target"
    _wines(
        "row = self.table.iloc[position]\n"
        "x = torch.tensor([float(row[name]) for name in self.features])\n"
        "return x, torch.tensor(int(row['target']))"
    ),
    # all columns but the label
    _wines(
        "x = self.table.drop(columns=[self.label, 'cellar']).iloc[position].to_numpy(np.float32)\n"
        "return torch.tensor(x), torch.tensor(int(self.table[self.label].iloc[position]))"
    ),
    # the length of the columns
    _wines(
        "return self.x[position], self.y[position]",
        "self.x = torch.from_numpy(table[features].to_numpy(np.float32))\n"
        "self.y = torch.from_numpy(table[label].to_numpy(np.int64))",
        "return self.x.shape[1]",
    ),
    # a list instead of a tensor
    _wines(
        "row = self.table.iloc[position]\n"
        "return [float(row[name]) for name in self.features], int(row[self.label])"
    ),
    # returns None
    _wines(
        "row = self.table.iloc[position]\n"
        "x = torch.tensor([float(row[name]) for name in self.features])\n"
        "x, torch.tensor(int(row[self.label]))"
    ),
    # the table sorted by its index
    _wines(
        "row = self.table.iloc[position]\n"
        "x = torch.tensor([float(row[name]) for name in self.features])\n"
        "return x, torch.tensor(int(row[self.label]))",
        _KEEP + "\nself.table = table.sort_index()",
    ),
    # the table's order of columns
    _wines(
        "row = self.table.iloc[position]\n"
        "x = torch.tensor([float(row[n]) for n in self.table.columns if n in self.features])\n"
        "return x, torch.tensor(int(row[self.label]))"
    ),
    # normalised unasked
    _wines(
        "return self.x[position], self.y[position]",
        "x = torch.from_numpy(table[features].to_numpy(np.float32))\n"
        "self.x = (x - x.mean(dim=0)) / x.std(dim=0)\n"
        "self.y = torch.from_numpy(table[label].to_numpy(np.int64))",
        "return len(self.x)",
    ),
]


def _collate(
    lines="padded.masked_fill(behind.unsqueeze(2), PADDING)",
    padded="torch.nn.utils.rnn.pad_sequence(lines, batch_first=True).float() / 255",
    weight="torch.tensor([torch.nan if w is None else float(w) for w in weights])",
    name="[sample['name'] for sample in samples]",
    length="lengths",
    behind="torch.arange(padded.shape[1]) >= lengths.unsqueeze(1)",
    first="pass",
):
    return f"""def collate_scans(samples):
    {first}
    lines = [sample["lines"] for sample in samples]
    weights = [sample["weight"] for sample in samples]
    lengths = torch.tensor([len(piece) for piece in lines])
    padded = {padded}
    behind = {behind}
    return {{"name": {name}, "lines": {lines}, "length": {length}, "weight": {weight}}}
"""


_COLLATE = [
    _collate(lines="padded"),  # zeros
    # padding_value on bytes: it wraps around, or stops
    _collate(
        padded="torch.nn.utils.rnn.pad_sequence(lines, batch_first=True, padding_value=PADDING)"
        ".float() / 255",
        lines="padded",
    ),
    # the padding divided, too
    _collate(
        padded="torch.nn.utils.rnn.pad_sequence([x.float() for x in lines], batch_first=True, "
        "padding_value=PADDING) / 255",
        lines="padded",
    ),
    # one conversion for each sample
    _collate(
        padded="torch.nn.utils.rnn.pad_sequence([x.float() / 255 for x in lines], "
        "batch_first=True, padding_value=PADDING)",
        lines="padded",
    ),
    # black pixels taken for padding
    _collate(behind="(padded == 0).all(dim=2)"),
    # another year's padding
    _collate(lines="padded.masked_fill(behind.unsqueeze(2), -1.0)"),
    # not divided
    _collate(padded="torch.nn.utils.rnn.pad_sequence(lines, batch_first=True).float()"),
    _collate(padded="torch.nn.utils.rnn.pad_sequence(lines, batch_first=True).float() / 256"),
    # (T, N, W)
    _collate(
        padded="torch.nn.utils.rnn.pad_sequence(lines).float() / 255",
        behind="(torch.arange(padded.shape[0]).unsqueeze(1) >= lengths)",
    ),
    # off by one
    _collate(behind="torch.arange(padded.shape[1]) > lengths.unsqueeze(1)"),
    _collate(behind="torch.arange(padded.shape[1]) >= lengths.unsqueeze(1) - 1"),
    # a missing weight is zero
    _collate(weight="torch.tensor([0.0 if w is None else float(w) for w in weights])"),
    # zero is taken for missing
    _collate(weight="torch.tensor([float(w or 'nan') for w in weights])"),
    # a missing weight stops
    _collate(weight="torch.tensor(weights)"),
    # whole numbers stay whole
    _collate(weight="torch.tensor([torch.nan if w is None else w for w in weights])"),
    # float64 weights
    _collate(
        weight="torch.tensor([torch.nan if w is None else w for w in weights], "
        "dtype=torch.float64)"
    ),
    # the weights that are there only
    _collate(weight="torch.tensor([float(w) for w in weights if w is not None])"),
    _collate(length="[len(piece) for piece in lines]"),  # a list
    _collate(length="lengths.int()"),
    _collate(length="lengths.float()"),
    _collate(name="tuple(sample['name'] for sample in samples)"),
    # names with the lengths sorted
    _collate(first="samples = sorted(samples, key=lambda s: -len(s['lines']))"),
    # the dicts are changed
    _collate(
        first="for s in samples: s['weight'] = torch.nan if s['weight'] is None else s['weight']"
    ),
    # the caller's list is sorted
    _collate(first="samples.sort(key=lambda s: len(s['lines']))"),
    # the global data
    _collate(name="[sample['name'] for sample in SCANS[:len(samples)]]"),
    # a fixed longest
    """def collate_scans(samples):
    lines = torch.full((len(samples), 40, 32), PADDING)
    for n, sample in enumerate(samples):
        lines[n, : len(sample["lines"])] = sample["lines"].float() / 255
    weights = [torch.nan if s["weight"] is None else s["weight"] for s in samples]
    return {
        "name": [s["name"] for s in samples],
        "lines": lines,
        "length": torch.tensor([len(s["lines"]) for s in samples]),
        "weight": torch.tensor(weights),
    }
""",
    # right, and a loop
    """def collate_scans(samples):
    longest, width = max(len(s["lines"]) for s in samples), samples[0]["lines"].shape[1]
    lines = torch.full((len(samples), longest, width), PADDING)
    for n, sample in enumerate(samples):
        lines[n, : len(sample["lines"])] = sample["lines"].float() / 255
    weights = [torch.nan if s["weight"] is None else float(s["weight"]) for s in samples]
    return {
        "name": [s["name"] for s in samples],
        "lines": lines,
        "length": torch.tensor([len(s["lines"]) for s in samples]),
        "weight": torch.tensor(weights),
    }
""",
    # a tuple
    _collate().replace('return {"name":', "return (").replace('"lines": ', "", 1)
    .replace('"length": ', "").replace('"weight": ', "").replace("}\n", ")\n"),
    # cut to the shortest
    """def collate_scans(samples):
    shortest = min(len(s["lines"]) for s in samples)
    weights = [torch.nan if s["weight"] is None else float(s["weight"]) for s in samples]
    return {
        "name": [s["name"] for s in samples],
        "lines": torch.stack([s["lines"][:shortest] for s in samples]).float() / 255,
        "length": torch.tensor([len(s["lines"]) for s in samples]),
        "weight": torch.tensor(weights),
    }
""",
    "def collate_scans(samples):\n    return torch.utils.data.default_collate(samples)\n",
]


def _error(body, end="return (total / count).float()", start="total, count = 0.0, 0"):
    lines = "\n        ".join(body.splitlines())
    return f"""def epoch_error(batches, delta):
    huber = torch.nn.functional.huber_loss
    {start}
    for predicted, measured, lengths in batches:
        real = torch.arange(predicted.shape[1]) < lengths.unsqueeze(1)
        {lines}
    {end}
"""


_SUM = (
    "losses = huber(predicted[real].double(), measured[real].double(), "
    "reduction='sum', delta=delta)\n"
)
_EACH = (
    "losses = huber(predicted.double(), measured.double(), reduction='none', delta=delta)\n"
)
_ADD = "total, count = total + losses, count + lengths.sum()"

_ERROR = [
    # the mean of the batches' means
    _error(
        "if real.any():\n    total = total + huber(predicted[real], measured[real], delta=delta)\n"
        "    count += 1"
    ),
    # the padding is multiplied by zero: NaN stays
    _error(_EACH + "losses = (losses * real).sum()\n" + _ADD),
    # the NaN of the padding is turned into zero, and with it a measured one
    _error(_EACH + "losses = losses.nansum()\n" + _ADD),
    _error(_EACH + "losses = losses.masked_fill(~real, 0).nan_to_num().sum()\n" + _ADD),
    # the padding counts
    _error(_EACH + "losses = losses.masked_fill(~real, 0).sum()\n"
           "total, count = total + losses, count + real.numel()"),
    # delta is forgotten
    _error(_SUM.replace(", delta=delta", "") + _ADD),
    # this year's delta instead of the argument
    _error(_SUM.replace("delta=delta", "delta=DELTA") + _ADD),
    # smooth_l1
    _error(
        "losses = torch.nn.functional.smooth_l1_loss(predicted[real].double(), "
        "measured[real].double(), reduction='sum', beta=delta)\n" + _ADD
    ),
    # other losses
    _error("losses = (predicted[real] - measured[real]).double().abs().sum()\n" + _ADD),
    _error("losses = (predicted[real] - measured[real]).double().square().sum()\n" + _ADD),
    # the mean of each clinic's mean
    _error(
        _EACH + "losses = losses.masked_fill(~real, 0).sum(dim=1) / lengths.clamp(min=1)\n"
        "total, count = total + losses.sum(), count + (lengths > 0).sum()"
    ),
    # the sum
    _error(_SUM + _ADD, "return total.float()"),
    # float64
    _error(_SUM + _ADD, "return total / count"),
    # a float
    _error(_SUM + _ADD, "return float(total / count)"),
    # one for each batch
    _error(_SUM + "total = [*total, losses / lengths.sum()]",
           "return torch.stack(total).float()", "total = []"),
    # off by one
    _error(_SUM + _ADD).replace("< lengths", "<= lengths"),
    # the padding of the input is overwritten
    _error(
        "predicted.masked_fill_(~real, 0)\nmeasured.masked_fill_(~real, 0)\n"
        "losses = huber(predicted.double(), measured.double(), reduction='sum', delta=delta)\n"
        + _ADD
    ),
    # stops or NaN at a batch without patients
    _error("losses = huber(predicted[real], measured[real], delta=delta) * lengths.sum()\n" + _ADD),
    # the last batch only
    _error(_SUM + "total, count = losses, lengths.sum()"),
    # right, and a loop over clinics
    """def epoch_error(batches, delta):
    total, count = 0.0, 0
    for predicted, measured, lengths in batches:
        for n in range(len(lengths)):
            length = lengths[n]
            total = total + torch.nn.functional.huber_loss(
                predicted[n, :length].double(), measured[n, :length].double(),
                reduction="sum", delta=delta,
            )
            count = count + length
    return (total / count).float()
""",
    # right, and the loop of the task
    """def epoch_error(batches, delta):
    total, count = 0.0, 0
    for predicted, measured, lengths in batches:
        for n, length in enumerate(lengths.tolist()):
            for t in range(length):
                distance = (predicted[n, t].double() - measured[n, t].double()).abs()
                if distance <= delta:
                    total = total + distance**2 / 2
                else:
                    total = total + delta * (distance - delta / 2)
                count += 1
    return (total / count).float()
""",
    # the data of this year
    _error(_SUM + _ADD).replace("in batches", "in CLINICS"),
    # the count of the first batch for all
    _error(_SUM + "total, count = total + losses, len(batches) * batches[0][2].sum()"),
    # the real ones are those that are no NaN
    _error(_SUM + "total, count = total + losses, count + real.sum()").replace(
        "torch.arange(predicted.shape[1]) < lengths.unsqueeze(1)", "~measured.isnan()"
    ),
    # returns None
    _error(_SUM + _ADD, "total / count"),
]


def _patches(
    item="y, x = self.corners[indices].unbind(dim=1)\nreturn self.windows[y, x].float() / 255",
    init="self.windows = photo.unfold(0, size, 1).unfold(1, size, 1)\nself.corners = corners",
    length="return len(self.corners)",
):
    return _class("Patches", init, length, item)


_HOLD = "self.photo, self.corners, self.size = photo, corners, size"
_INDEX = (
    "y, x = self.corners[indices].unbind(dim=1)\n"
    "along = torch.arange(self.size)\n"
    "rows = (y.unsqueeze(1) + along).unsqueeze(2)\n"
    "columns = (x.unsqueeze(1) + along).unsqueeze(1)\n"
)
_PATCHES = [
    # x and y exchanged
    _patches("x, y = self.corners[indices].unbind(dim=1)\nreturn self.windows[y, x].float() / 255"),
    # channels last
    _patches(_INDEX + "return self.photo[rows, columns].float() / 255", _HOLD),
    # reshaped, not permuted
    _patches(
        _INDEX + "patches = self.photo[rows, columns]\n"
        "return patches.reshape(len(indices), 3, self.size, self.size).float() / 255",
        _HOLD,
    ),
    # rows and columns exchanged
    _patches(_INDEX + "return self.photo[rows, columns].permute(0, 3, 2, 1).float() / 255", _HOLD),
    # not scaled
    _patches("y, x = self.corners[indices].unbind(dim=1)\nreturn self.windows[y, x].float()"),
    # bytes
    _patches("y, x = self.corners[indices].unbind(dim=1)\nreturn self.windows[y, x]"),
    # whole-number division
    _patches(
        "y, x = self.corners[indices].unbind(dim=1)\nreturn (self.windows[y, x] // 255).float()"
    ),
    # scaled by each batch's own largest value
    _patches(
        "y, x = self.corners[indices].unbind(dim=1)\n"
        "batch = self.windows[y, x].float()\nreturn batch / batch.max()"
    ),
    # float64
    _patches("y, x = self.corners[indices].unbind(dim=1)\nreturn self.windows[y, x].double() / 255"),
    # right, and a loop over the batch
    _patches(
        "return torch.stack([self.one(i) for i in indices.tolist()])\n\n"
        "def one(self, i):\n    pass",
        _HOLD,
    ).replace("        \n        def one(self, i):\n            pass\n", "\n    def one(self, i):\n"
              "        y, x = self.corners[i].tolist()\n"
              "        patch = self.photo[y : y + self.size, x : x + self.size]\n"
              "        return patch.permute(2, 0, 1).float() / 255\n"),
    # the loop, preallocated
    _patches(
        "batch = torch.empty(len(indices), 3, self.size, self.size)\n"
        "for place, index in enumerate(indices):\n"
        "    y, x = self.corners[index]\n"
        "    patch = self.photo[y : y + self.size, x : x + self.size]\n"
        "    batch[place] = patch.permute(2, 0, 1).float() / 255\n"
        "return batch",
        _HOLD,
    ),
    # all patches cut out in advance, in a loop
    _patches(
        "return self.patches[indices].float() / 255",
        "self.patches = torch.stack([photo[y : y + size, x : x + size].permute(2, 0, 1)\n"
        "    for y, x in corners.tolist()])",
        "return len(self.patches)",
    ),
    # all patches held, without a loop
    _patches(
        "return self.patches[indices]",
        "y, x = corners.unbind(dim=1)\n"
        "self.patches = photo.unfold(0, size, 1).unfold(1, size, 1)[y, x].float() / 255",
        "return len(self.patches)",
    ),
    # all patches held as bytes
    _patches(
        "return self.patches[indices].float() / 255",
        "y, x = corners.unbind(dim=1)\n"
        "self.patches = photo.unfold(0, size, 1).unfold(1, size, 1)[y, x]",
        "return len(self.patches)",
    ),
    # all patches made for each batch
    _patches(
        "y, x = self.corners.unbind(dim=1)\nreturn self.windows[y, x][indices].float() / 255"
    ),
    # the first ones
    _patches(
        "y, x = self.corners[: len(indices)].unbind(dim=1)\n"
        "return self.windows[y, x].float() / 255"
    ),
    # a slice
    _patches(
        "first = int(indices[0])\n"
        "y, x = self.corners[first : first + len(indices)].unbind(dim=1)\n"
        "return self.windows[y, x].float() / 255"
    ),
    # this year's size and data
    _patches(init="self.windows = photo.unfold(0, SIZE, 1).unfold(1, SIZE, 1)\n"
             "self.corners = corners"),
    _patches(init="self.windows = PHOTO.unfold(0, size, 1).unfold(1, size, 1)\n"
             "self.corners = corners"),
    # the photograph is turned
    _patches(init="self.windows = photo.mT.unfold(0, size, 1).unfold(1, size, 1)\n"
             "self.corners = corners"),
    # the length is the photograph's
    _patches(
        _INDEX + "return self.photo[rows, columns].permute(0, 3, 1, 2).float() / 255",
        _HOLD,
        "return len(self.photo)",
    ),
    # a pair with the indices
    _patches(
        "y, x = self.corners[indices].unbind(dim=1)\n"
        "return self.windows[y, x].float() / 255, indices"
    ),
    # the colours turned round
    _patches(
        "y, x = self.corners[indices].unbind(dim=1)\n"
        "return self.windows[y, x].flip(1).float() / 255"
    ),
    # pairs rows and columns, so only the diagonal
    _patches(
        "y, x = self.corners[indices].unbind(dim=1)\nalong = torch.arange(self.size)\n"
        "batch = self.photo[y.unsqueeze(1) + along, x.unsqueeze(1) + along]\n"
        "return batch.permute(0, 2, 1).float() / 255",
        _HOLD,
    ),
]


def _statistics(
    values="torch.from_numpy(array[start : start + rows].astype(np.float64))",
    array="np.load(path, mmap_mode='r')",
    starts="range(0, len(array), rows)",
    add="total, squares = total + values.nansum(dim=0), squares + values.square().nansum(dim=0)\n"
    "        count = count + (~values.isnan()).sum(dim=0)",
    mean="total / count",
    variance="(squares / count - mean.square()).clamp(min=0)",
    count="count",
    end='return {"count": count, "mean": mean, "variance": variance}',
):
    return f"""def file_statistics(path, rows):
    array = {array}
    count = torch.zeros(array.shape[1], dtype=torch.int64)
    total = squares = torch.zeros(array.shape[1], dtype=torch.float64)
    for start in {starts}:
        values = {values}
        {add}
    mean = {mean}
    variance = {variance}
    count = {count}
    {end}
"""


_STATISTICS = [
    # the whole file
    _statistics(array="np.load(path)"),
    # the whole file at once, mapped or not
    """def file_statistics(path, rows):
    values = torch.from_numpy(np.load(path).astype(np.float64))
    real = ~values.isnan()
    count = real.sum(dim=0)
    mean = values.nanmean(dim=0)
    return {
        "count": count, "mean": mean, "variance": (values - mean).square().nanmean(dim=0),
    }
""",
    """def file_statistics(path, rows):
    values = torch.from_numpy(np.load(path, mmap_mode="r").astype(np.float64))
    real = ~values.isnan()
    mean = values.nanmean(dim=0)
    return {
        "count": real.sum(dim=0), "mean": mean, "variance": (values - mean).square().nanmean(dim=0),
    }
""",
    # all chunks kept
    """def file_statistics(path, rows):
    array, kept = np.load(path, mmap_mode="r"), []
    for start in range(0, len(array), rows):
        kept.append(torch.from_numpy(array[start : start + rows].astype(np.float64)))
    values = torch.cat(kept)
    mean = values.nanmean(dim=0)
    return {
        "count": (~values.isnan()).sum(dim=0),
        "mean": mean,
        "variance": (values - mean).square().nanmean(dim=0),
    }
""",
    # two passes
    """def file_statistics(path, rows):
    array = np.load(path, mmap_mode="r")
    count, total, squares = 0, 0.0, 0.0
    for start in range(0, len(array), rows):
        values = torch.from_numpy(array[start : start + rows].astype(np.float64))
        count, total = count + (~values.isnan()).sum(dim=0), total + values.nansum(dim=0)
    mean = total / count
    for start in range(0, len(array), rows):
        values = torch.from_numpy(array[start : start + rows].astype(np.float64))
        squares = squares + (values - mean).square().nansum(dim=0)
    return {"count": count, "mean": mean, "variance": squares / count}
""",
    # two passes with the lessons' chunks
    """def file_statistics(path, rows):
    from utils.loading import chunks

    count, total, squares = 0, 0.0, 0.0
    for chunk in chunks(path, rows):
        values = chunk.double()
        count, total = count + (~values.isnan()).sum(dim=0), total + values.nansum(dim=0)
    mean = total / count
    for chunk in chunks(path, rows):
        squares = squares + (chunk.double() - mean).square().nansum(dim=0)
    return {"count": count, "mean": mean, "variance": squares / count}
""",
    # the last chunk is left out
    _statistics(starts="range(0, len(array) // rows * rows, rows)"),
    _statistics(starts="range(0, len(array) - rows + 1, rows)"),
    # overlapping by one
    _statistics(values="torch.from_numpy(array[start : start + rows + 1].astype(np.float64))"),
    # one row is lost
    _statistics(starts="range(1, len(array), rows)"),
    # rows are counted, not values
    _statistics(
        add="total, squares = total + values.nansum(dim=0), squares + values.square().nansum(dim=0)"
        "\n        count = count + len(values)"
    ),
    # NaN everywhere
    _statistics(
        add="total, squares = total + values.sum(dim=0), squares + values.square().sum(dim=0)\n"
        "        count = count + (~values.isnan()).sum(dim=0)"
    ),
    # the mean of the means
    _statistics(
        add="total, squares = total + values.nanmean(dim=0), squares + "
        "(values - values.nanmean(dim=0)).square().nanmean(dim=0)\n"
        "        count = count + (~values.isnan()).sum(dim=0)",
        mean="total / (len(array) / rows)",
        variance="squares / (len(array) / rows)",
    ),
    # the variance within the chunks only
    _statistics(
        add="total, squares = total + values.nansum(dim=0), squares + "
        "(values - values.nanmean(dim=0)).square().nansum(dim=0)\n"
        "        count = count + (~values.isnan()).sum(dim=0)",
        variance="squares / count",
    ),
    # less one
    _statistics(variance="(squares - count * mean.square()) / (count - 1)"),
    # the standard deviation
    _statistics(variance="(squares / count - mean.square()).clamp(min=0).sqrt()"),
    # the squares alone
    _statistics(variance="squares / count"),
    # zeros where there is no value
    _statistics(end='return {"count": count, "mean": mean.nan_to_num(), '
                '"variance": variance.nan_to_num()}'),
    # all of it in float32
    _statistics(values="torch.from_numpy(array[start : start + rows].astype(np.float32))"),
    # stops at big-endian numbers
    _statistics(values="torch.from_numpy(np.array(array[start : start + rows])).double()"),
    # whatever the bytes, read as native ones
    _statistics(
        values="torch.from_numpy(array[start : start + rows].view("
        "array.dtype.newbyteorder('=')).astype(np.float64))"
    ),
    # only floats know isnan: bytes of whole numbers wrap around
    _statistics(
        values="torch.from_numpy(array[start : start + rows].astype("
        "array.dtype.newbyteorder('=')))"
    ),
    # float32 results
    _statistics(end='return {"count": count, "mean": mean.float(), "variance": variance.float()}'),
    # the count as float
    _statistics(count="count.double()"),
    # a tuple
    _statistics(end="return count, mean, variance"),
    # row by row
    """def file_statistics(path, rows):
    array = np.load(path, mmap_mode="r")
    count, mean = torch.zeros(array.shape[1], dtype=torch.int64), 0.0
    total = squares = torch.zeros(array.shape[1], dtype=torch.float64)
    for start in range(0, len(array), rows):
        for row in torch.from_numpy(array[start : start + rows].astype(np.float64)):
            count = count + ~row.isnan()
            total, squares = total + row.nan_to_num(), squares + row.nan_to_num().square()
    mean = total / count
    return {"count": count, "mean": mean, "variance": (squares / count - mean**2).clamp(min=0)}
""",
    # row by row, with NumPy
    """def file_statistics(path, rows):
    array = np.load(path, mmap_mode="r")
    count = np.zeros(array.shape[1], dtype=np.int64)
    total, squares = np.zeros(array.shape[1]), np.zeros(array.shape[1])
    for start in range(0, len(array), rows):
        for row in np.array(array[start : start + rows], dtype=np.float64):
            count += ~np.isnan(row)
            total += np.nan_to_num(row)
            squares += np.nan_to_num(row) ** 2
    with np.errstate(all="ignore"):
        mean = total / count
        variance = np.maximum(squares / count - mean**2, 0)
    return {
        "count": torch.from_numpy(count),
        "mean": torch.from_numpy(mean),
        "variance": torch.from_numpy(variance),
    }
""",
    # this year's file, and this year's rows
    _statistics(array="np.load(TUMOURS, mmap_mode='r')"),
    # returns None
    _statistics(end="count, mean, variance"),
]


def _deal(
    result="list(batches[rank::world_size][worker::workers])",
    seed="MULTIPLIER * seed + epoch",
    order="torch.randperm(rows, generator=generator)",
    empty="if rows == 0:\n        return []",
    batches="order.split(batch_size)",
    generator="torch.Generator()",
):
    return f"""def worker_batches(rows, batch_size, seed, epoch, rank, world_size, worker, workers):
    {empty}
    generator = {generator}.manual_seed({seed})
    order = {order}
    batches = {batches}
    return {result}
"""


_DEAL = [
    _deal(empty="pass"),  # an empty tensor for no rows
    _deal("list(batches[rank::world_size])"),
    _deal("list(batches[worker::workers])"),
    _deal("list(batches[worker::workers][rank::world_size])"),
    _deal("list(batches[rank * workers + worker :: world_size * workers])"),
    _deal("list(batches)"),
    _deal("list(batches[rank + worker :: world_size * workers])"),
    # rows are dealt, not batches
    _deal(batches="order[rank::world_size][worker::workers].split(batch_size)",
          result="list(batches)"),
    # neighbouring batches
    _deal(
        "list(batches[rank * len(batches) // world_size : (rank + 1) * len(batches) // world_size]"
        "[worker::workers])"
    ),
    # seeds
    _deal(seed="seed + epoch"),
    _deal(seed="seed"),
    _deal(seed="MULTIPLIER * seed"),
    _deal(seed="MULTIPLIER * epoch + seed"),
    _deal(seed="MULTIPLIER * (seed + epoch)"),
    _deal(seed="1234 * seed + epoch"),  # from another year
    _deal(seed="MULTIPLIER * SEED + epoch"),
    _deal(seed="MULTIPLIER * seed + epoch + worker"),
    _deal(seed="MULTIPLIER * seed + epoch + rank"),
    # no shuffling, or another generator
    _deal(order="torch.arange(rows)"),
    _deal(generator="torch", order="torch.randperm(rows)"),
    _deal(order="torch.from_numpy(np.random.default_rng(MULTIPLIER * seed + epoch)"
          ".permutation(rows))"),
    # the last batch
    _deal(batches="order[: rows // batch_size * batch_size].split(batch_size)"),
    _deal(batches="[b for b in order.split(batch_size) if len(b) == batch_size]"),
    _deal(batches="torch.cat([order, order])[: -(-rows // batch_size) * batch_size]"
          ".split(batch_size)"),
    # cut into so many batches, not of such a size
    _deal(batches="order.chunk(batch_size)"),
    # equally many for all
    _deal(batches="order.split(batch_size)[: rows // batch_size // (world_size * workers) "
          "* world_size * workers]"),
    # forms
    _deal("batches[rank::world_size][worker::workers]"),  # a tuple
    _deal("[b.tolist() for b in batches[rank::world_size][worker::workers]]"),
    _deal("[b.int() for b in batches[rank::world_size][worker::workers]]"),
    _deal("torch.cat(batches[rank::world_size][worker::workers])"),
    _deal("iter(batches[rank::world_size][worker::workers])"),
    # index by index
    _deal("[torch.tensor([int(order[i]) for i in range(s, min(s + batch_size, rows))]) for s in "
          "list(range(0, rows, batch_size))[rank::world_size][worker::workers]]"),
    # returns None
    _deal().replace("    return list", "    list"),
]

WRONG = {
    "wines": _WINES,
    "collate_scans": _COLLATE,
    "epoch_error": _ERROR,
    "patches": _PATCHES,
    "file_statistics": _STATISTICS,
    "worker_batches": _DEAL,
}
