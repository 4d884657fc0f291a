import Frames
import Testing

@Suite struct PathTests {
  @Test(arguments: [
    ("o", ""), ("", ""), ("ab", ""), ("é", ""), ("o/x", "o"), ("/o", "/"), ("/", "/"), ("//", "/"), ("a//b/", "a"),
    ("/a/b/c", "/a/b"), (".", ""), ("../é/", ".."), ("//a", "/"),
  ])
  func aFolderIsFound(path: String, folder: String) { #expect(path.parentFolder == folder) }
}
