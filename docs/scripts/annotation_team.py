"""Masks for what was drawn in CVAT, back into CVAT: python annotation_team.py PHOTOGRAPHS annotations.xml masks."""

import sys

import zoo

photographs, drawn, masks = sys.argv[1:]
report = zoo.refine_to_folder(
    zoo.from_pretrained("lite"),
    photographs,
    drawn,
    masks,
    labels={"Red lesion": "MA", "Unsure": None},  # beside the usual names, which are known
    for_tools=zoo.ToolOptions(("cvat",)),
)
for sentence in [*report.left_out, *report.notes, *(sentence for _, sentence in report.failures)]:
    print(sentence)
marks = [(mark["expected_iou"], mark["lesion"], one["image"]) for one in report.records for mark in one["marks"]]
for trust, lesion, photograph in sorted(marks)[:10]:  # the most doubtful
    print(f"look at {lesion} on {photograph}: expected IoU {trust:.2f}")
print("for the tool:", *report.for_tools)
