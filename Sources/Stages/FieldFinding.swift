import Media
import Pipeline

extension FieldScan {
  /// What the pictures of a video stream look like: found out once an input, however many stretches it is cut into.
  static func of(_ stream: Int, _ job: Job) throws -> FieldScan {
    try job.finding("fields of stream \(stream)") {
      try FieldScan(job.input, stream: stream, threads: job.threads)
    }
  }
}
