// Checksums and records: what peers/io_crc32c.py and peers/io_tfrecord_read.py do.
//
//   zoo-bench tfrecord_read --file build/bench/records.tfrecord
#include "test/bench/bench.h"

#include <libzoo/io/crc32c.h>
#include <libzoo/io/tfrecord.h>

#include <filesystem>
#include <memory>

namespace zoo::bench {
namespace {

Job crc32c(size_t bytes) {
  auto data = std::make_shared<std::vector<uint8_t>>(bytes);
  for (size_t i = 0; i < bytes; ++i) (*data)[i] = uint8_t(i);
  auto sum = std::make_shared<uint32_t>();  // so that the work is not left out
  return {[data, sum] { *sum ^= io::crc32c(*data); }, double(bytes) / 1e9, "GB/s"};
}

// Opens the file and passes over all of its records, their checksums verified.
Job tfrecord_read(const std::string& file) {
  const auto run = [file] {
    io::TfRecordReader reader(io::map_file(file), file);
    while (reader.next()) {
    }
  };
  return {run, double(std::filesystem::file_size(file)) / 1e6, "MB/s"};
}

}  // namespace

std::vector<Benchmark> io_benchmarks() {
  return {{"crc32c", "the CRC-32C of one block",
           [](CLI::App& command) {
             auto bytes = std::make_shared<size_t>(64 << 20);
             command.add_option("--bytes", *bytes)->check(CLI::Range(1, 1 << 30))->capture_default_str();
             return [bytes](int) { return crc32c(*bytes); };
           }},
          {"tfrecord_read", "all records of a plain TFRecord file, checksums verified", [](CLI::App& command) {
             auto file = std::make_shared<std::string>();
             command.add_option("--file", *file)->required()->check(CLI::ExistingFile);
             return [file](int) { return tfrecord_read(*file); };
           }}};
}

}  // namespace zoo::bench
