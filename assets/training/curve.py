"""Draw a run's log.csv as curve.png."""
import csv


def draw(log, path):
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    with open(log) as file:
        rows = list(csv.DictReader(file))
    for name in rows[0]:
        if name not in ("step", "minutes", "loss", "rate"):
            pyplot.plot([int(r["step"]) for r in rows], [float(r[name]) for r in rows], label=name)
    pyplot.xlabel("step")
    pyplot.ylabel("PSNR, dB")
    pyplot.legend()
    pyplot.grid(alpha=0.3)
    pyplot.savefig(path, dpi=80)
    pyplot.close()
