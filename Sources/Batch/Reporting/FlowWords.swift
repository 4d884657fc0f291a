import Foundation
import Pipeline

/// What a person calls that which flows, and how fast.
extension Flow {
  /// `1 frame`, `11 pages`.
  func count(_ number: Int) -> String {
    HumanObserver.count(number, self == .pages ? "page" : "frame")
  }

  /// `23.1 fps`, `77.3 pages/min`.
  func rate(perSecond: Double) -> String {
    self == .pages ? String(format: "%.1f pages/min", perSecond * 60) : String(format: "%.1f fps", perSecond)
  }
}
