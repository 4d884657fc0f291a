import Pipeline
import Testing

@testable import Batch

@Suite struct FlowWordsTests {
  @Test func pagesAreCountedAsPages() {
    #expect(Flow.pages.count(11) == "11 pages")
    #expect(Flow.pages.rate(perSecond: 1.25) == "75.0 pages/min")
  }

  @Test func framesAreCountedAsFrames() {
    #expect(Flow.frames.count(1) == "1 frame")
    #expect(Flow.frames.rate(perSecond: 23.12) == "23.1 fps")
  }
}
