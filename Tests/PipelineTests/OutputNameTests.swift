import Pipeline
import Testing

@Suite struct OutputNameTests {
  @Test(arguments: [
    ("{stem}-2x.mkv", "a.b.mp4", false, "a.b-2x.mkv"), ("{stem}-2x.mkv", "sample.mp4", true, "sample.mp4-2x.mkv"),
    ("{name}.txt", "x", false, "x.txt"), ("{stem}.{ext}", ".hidden", false, ".hidden."),
    ("{stem}", "пример видео.mp4", false, "пример видео"), ("{stem}.mkv", "{stem}.mp4", false, "{stem}.mkv"),
  ])
  func fills(template: String, input: String, unique: Bool, output: String) {
    #expect(OutputName.make(template, input: input, unique: unique) == output)
  }
}
