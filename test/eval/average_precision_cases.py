"""Writes files/average_precision.json: random detections and what pycocotools makes of them.

    python test/eval/average_precision_cases.py        # needs numpy and pycocotools (2.0.11 made the file)

Each case has `categories`, `truth` rows [picture, category, left, top, width, height, area, crowd], `found` rows [picture,
category, left, top, width, height, score], COCOeval's twelve `stats` and the `of_category` means of its precision.
"""

import contextlib
import io
import json
import pathlib

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def expected(case, pictures):
    truth = COCO()
    truth.dataset = {
        "images": [{"id": p} for p in range(pictures)],
        "categories": [{"id": c} for c in range(case["categories"])],
        # Ids from 1: COCOeval takes the id 0 for "not matched".
        "annotations": [
            {"id": i + 1, "image_id": t[0], "category_id": t[1], "bbox": t[2:6], "area": t[6], "iscrowd": t[7]}
            for i, t in enumerate(case["truth"])
        ],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        found = truth.loadRes([{"image_id": f[0], "category_id": f[1], "bbox": f[2:6], "score": f[6]} for f in case["found"]])
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    precision = evaluation.eval["precision"][:, :, :, 0, 2]  # thresholds, recalls, categories
    means = [float(p[p > -1].mean()) if (p > -1).any() else -1.0 for p in (precision[:, :, c] for c in range(case["categories"]))]
    return {"stats": [float(s) for s in evaluation.stats], "of_category": means}


def random_case(name, seed, pictures, categories, per_picture, extra=4, crowd=0.0, digits=2, side=300, used=None, jitter=0.15):
    """Objects, of which most are found about where they are, twice at times, among false alarms. Few digits: many ties."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    used = categories if used is None else used  # only so many of the categories have objects
    for p in range(pictures):
        for _ in range(rng.integers(0, per_picture + 1)):
            size = side * 10 ** rng.uniform(-1.5, -0.1, 2)
            corner = rng.uniform(0, side, 2)
            box = [round(float(v), 2) for v in (*corner, *size)]
            c = int(rng.integers(used))
            area = round(box[2] * box[3] * float(rng.uniform(0.5, 1)), 2)
            truth.append([p, c, *box, area, int(rng.random() < crowd)])
            for _ in range(rng.integers(0, 3)):
                moved = np.array(box) + rng.normal(0, jitter, 4) * np.array([box[2], box[3], box[2], box[3]])
                moved[2:] = np.maximum(moved[2:], 1)
                found.append([p, c, *(round(float(v), 2) for v in moved), round(float(rng.uniform(0.2, 1)), digits)])
        for _ in range(rng.integers(0, extra + 1)):
            box = [*rng.uniform(0, side, 2), *(side * 10 ** rng.uniform(-1.5, -0.3, 2))]
            found.append([p, int(rng.integers(categories)), *(round(float(v), 2) for v in box), round(float(rng.random()), digits)])
    order = rng.permutation(len(found))
    case = {"name": name, "categories": categories, "truth": truth, "found": [found[i] for i in order]}
    return case | expected(case, pictures)


def main():
    cases = [
        random_case("plain", 1, pictures=20, categories=3, per_picture=6),
        random_case("crowds", 2, pictures=15, categories=2, per_picture=6, crowd=0.3),
        random_case("equal scores", 3, pictures=15, categories=2, per_picture=6, digits=1, crowd=0.1),
        random_case("categories without objects", 4, pictures=8, categories=5, per_picture=4, used=3),
        random_case("only small ones", 5, pictures=10, categories=2, per_picture=5, side=40),
        random_case("more than 100 in a picture", 6, pictures=2, categories=1, per_picture=150, extra=60, digits=3, jitter=0.05),
        random_case("all crowds", 7, pictures=4, categories=1, per_picture=4, crowd=1.0),
    ]
    # Exact hits, the borders of the ranges of areas, a box found twice, one that is found by a box outside of the range.
    borders = {
        "name": "borders of areas",
        "categories": 1,
        "truth": [[0, 0, 0, 0, 32, 32, 1024, 0], [0, 0, 100, 0, 96, 96, 9216, 0], [1, 0, 0, 0, 33, 32, 1056, 0], [1, 0, 50, 50, 4, 4, 16, 1]],
        "found": [[0, 0, 0, 0, 32, 32, 0.9], [0, 0, 0, 0, 32, 32, 0.8], [0, 0, 100, 0, 96, 48, 0.7], [1, 0, 0, 0, 32, 31, 0.6], [1, 0, 40, 40, 40, 40, 0.9]],
    }
    cases.append(borders | expected(borders, 2))
    path = pathlib.Path(__file__).parent / "files" / "average_precision.json"
    path.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
    print(path, path.stat().st_size, "bytes")
    for case in cases:
        print(case["name"], len(case["truth"]), len(case["found"]), [round(s, 4) for s in case["stats"]], case["of_category"])


if __name__ == "__main__":
    main()
