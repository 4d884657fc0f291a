import Frames

/// Leptonica has a type of this name too.
typealias Box = Frames.Box
