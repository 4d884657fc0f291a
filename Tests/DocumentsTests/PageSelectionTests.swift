import Documents
import Frames
import Testing

@Suite struct PageSelectionTests {
  @Test(arguments: [
    ("", [0, 1, 2, 3, 4]), ("2,3-end", [1, 2, 3, 4]), ("1", [0]), ("end", [4]), ("4-9", [3, 4]), ("3,1", [0, 2]),
    ("9", []), ("3-2", []),
  ])
  func `lists of pages are those a person means`(text: String, pages: [Int]) throws {
    #expect(try PageSelection(text).pages(of: 5) == pages)
  }

  @Test(arguments: ["0", "a", "1-2-3", "1,,2", "-3", "1-"])
  func `what is no list of pages is refused`(text: String) {
    #expect(throws: Failure.self) { try PageSelection(text) }
  }
}
