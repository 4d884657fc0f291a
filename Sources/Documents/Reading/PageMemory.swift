import CTesseract

/// Pages are large and of many sizes: on glibc's heap they leave holes that the next page does not fit, and a long
/// document grows by megabytes a page. Blocks of a megabyte and more go back to the system at once instead.
enum PageMemory {
  static let settled: Void = { mallopt(M_MMAP_THRESHOLD, 1 << 20) }()
}
