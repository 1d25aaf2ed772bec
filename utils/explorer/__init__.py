"""The live panel: drag a slider, and a loop and its batch race again."""
