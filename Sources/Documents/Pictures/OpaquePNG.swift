import Foundation

extension PNGHeader {
  /// The samples without their opacity, deflated with PNG's filters still on them, where nothing shows through: PDF/A
  /// wants opacity apart. Nil where a pixel is not opaque, the samples are not of 8 bits, or are damaged.
  ///
  /// Filters work on each channel by itself, so that one may be left out without undoing them: of a channel that is
  /// 255 all over it is known what they leave.
  func opaqueSamples(in data: Data) -> [UInt8]? {
    guard depth == 8, !interlaced, colourType == 4 || colourType == 6,
      let inflater = Inflater(data, samples), let deflater = Deflater()
    else { return nil }
    let channels = colourType == 4 ? 2 : 4
    let kept = channels - 1
    var row = [UInt8](repeating: 0, count: 1 + width * channels)
    var shortened = [UInt8](repeating: 0, count: 1 + width * kept)
    for y in 0..<height {
      guard inflater.fill(&row) == row.count, let opaque = PNGHeader.opaque(filter: row[0], isFirstRow: y == 0) else {
        return nil
      }
      shortened[0] = row[0]
      var differs = row[channels] ^ opaque.first
      row.withUnsafeBufferPointer { row in
        shortened.withUnsafeMutableBufferPointer { shortened in
          for x in 0..<width {
            for channel in 1...kept { shortened[x * kept + channel] = row[x * channels + channel] }
            if x > 0 { differs |= row[(x + 1) * channels] ^ opaque.rest }
          }
        }
      }
      guard differs == 0, deflater.add(shortened) else { return nil }
    }
    return deflater.finish()
  }

  /// What a filter leaves of opacity in a row's first pixel and in its others; nil where there is no such filter.
  private static func opaque(filter: UInt8, isFirstRow: Bool) -> (first: UInt8, rest: UInt8)? {
    let above: UInt8 = isFirstRow ? 0 : 255
    return switch filter {
    case 0: (255, 255)
    case 1: (255, 0)
    case 2: (255 - above, 255 - above)
    case 3: (255 - above / 2, isFirstRow ? 128 : 0)
    // Paeth's choice: what lies above in the first pixel, what lies to the left in the others.
    case 4: (255 - above, 0)
    default: nil
    }
  }
}
