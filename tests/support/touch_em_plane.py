"""What a hand does on the figure em-plane, and what is read off it."""

CHAPTER = "chapters/10_whole_algorithm.html"
FIGURE = "fig-faithful-em"
COLLAPSE = "?data=hard&k=3&m=-1,-1;1,-1;5.9,0&t=300"
