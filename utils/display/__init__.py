"""How figures are shown: units, tables, charts, errors in one line, and the reader's guess."""
