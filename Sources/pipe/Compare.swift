import ArgumentParser
import Batch

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare outputs with a reference: PSNR and SSIM on luma, frame by frame and mean.")

  @Argument(help: "Videos or pictures; the last is the reference.", completion: .file())
  var files: [String]

  @Flag(help: "As JSON, with every frame.")
  var json = false

  @Option(help: "Write the most detailed crop of each, side by side, to this picture.", completion: .file())
  var image: String?

  @Option(help: "How many threads to use.")
  var threads: Int?

  func validate() throws {
    if files.count < 2 { throw ValidationError("there is nothing to compare with: give outputs and a reference") }
  }

  func run() throws {
    let comparison = try VideoComparison(files, threads: threads ?? Budget.available.threads, image: image)
    print(json ? comparison.json.prettyJSON : comparison.text)
  }
}
