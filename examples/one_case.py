"""Ask a model about one case before and after an edit of its picture, without a suite."""

from vlcheck import load_model, open_cases, with_target
from vlcheck.perturb import Grayscale, View

model = load_model("tiny")
case, *others = open_cases("scenes:20").select(with_target("object"))
in_color = View.of(case)
for view in (in_color, Grayscale()(in_color, others)):
    picture = view.picture.render()
    (score,) = model.itm(model.encode([picture]), [view.text])
    print(f"P(match) = {score:.3f} for {view.text!r} and {view.picture.edits or 'the picture as it is'}")
