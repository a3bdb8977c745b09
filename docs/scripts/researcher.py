"""What people would draw, a network trained for it, and its scores: python researcher.py idrid:PATH train test OUT."""

import sys

import coarsekit
import zoo

source, training, test, out = sys.argv[1:]
for fundus in coarsekit.open_source(source).photographs(training):
    for reduction in (1.0, 2.0):
        drawn = coarsekit.annotate(fundus, reduction, coarsekit.HUMAN, seed=0)
        print(fundus.key, "at reduction", reduction, "has", len(drawn.marks), "ellipses")

record = zoo.train("unet", source, f"{out}/mine", split=training, settings={"epochs": 2, "samples": 64, "width": 4})
print("best IoU on the photographs held out:", record["best_validation_iou"])

found = zoo.evaluate(source, [f"{out}/mine", "shrink"], split=test, styles=["human", "paper"], out=f"{out}/scores")
for table in found.tables:
    print(table.title)
    for row in table.rows:
        print("  ", *row.values())
