#!/usr/bin/env python3
"""Print the Markdown table of the shipped networks from their own cards: report.py ../models/*.onnx"""
import sys

import onnx

SETS = {"upscale": ("set5", "set14", "kodak24"), "denoise": ("kodak24_15", "kodak24_25", "kodak24_50")}
TITLES = {"set5": "Set5", "set14": "Set14", "kodak24": "Kodak24", "kodak24_15": "Kodak24 σ 15", "kodak24_25": "σ 25",
          "kodak24_50": "σ 50"}


def table(cards, sets):
    lines = ["| network | KMAC per input pixel | " + " | ".join(TITLES[name] for name in sets) + " | largest int8 loss |"]
    lines.append("|---|---" + "|---" * (len(sets) + 1) + "|")
    for card in cards:
        floats, integers = ([float(card[f"{kind}_{name}"]) for name in sets] for kind in ("float", "int8"))
        cells = [f"{i:.2f} ({f:.2f})" for i, f in zip(integers, floats)]
        loss = max(f - i for i, f in zip(integers, floats))
        lines.append(f"| `{card['name']}` | {card['kmac_per_pixel']} | " + " | ".join(cells) + f" | {loss:.3f} dB |")
    return "\n".join(lines)


def main():
    cards = [{p.key: p.value for p in onnx.load(path).metadata_props} for path in sys.argv[1:]]
    for task, sets in SETS.items():
        shipped = [card for card in cards if card.get("task", "upscale") == task]
        if shipped:
            print(table(shipped, sets), end="\n\n")


if __name__ == "__main__":
    main()
