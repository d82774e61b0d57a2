#include <libzoo/core/error.h>
#include <libzoo/io/byte_reader.h>
#include <libzoo/io/cifar.h>

#include <fmt/format.h>

namespace zoo::io {

Cifar read_cifar(const Bytes& file, CifarVariant variant, const std::string& where) {
  constexpr size_t pixels = 3 * 32 * 32;
  const bool coarse = variant == CifarVariant::cifar100;
  const size_t label_bytes = coarse ? 2 : 1, record = label_bytes + pixels;
  const uint8_t classes = coarse ? 100 : 10;
  if (file.size() % record != 0) {
    throw UserError(fmt::format("{}: {} bytes are no multiple of a record's {}", where, file.size(), record),
                    "CIFAR-10 records have 3073 bytes, CIFAR-100 records 3074; use the binary version of the data set");
  }
  const int64_t records = int64_t(file.size() / record);
  Cifar result{Array(DType::u8, {records, 3, 32, 32}), Array(DType::i64, {records}), coarse ? Array(DType::i64, {records}) : Array()};
  std::byte* images = result.images.mutable_data();
  const auto labels = result.labels.mutable_span<int64_t>();
  for (int64_t i = 0; i < records; ++i) {
    const auto bytes = file.view.subspan(size_t(i) * record, record);
    const auto check = [&](uint8_t label, uint8_t limit, std::string_view what) -> int64_t {
      if (label >= limit) refuse(where, size_t(i) * record, fmt::format("record {}: {} {} of {} classes", i, what, label, limit));
      return label;
    };
    if (coarse) result.coarse_labels.mutable_span<int64_t>()[size_t(i)] = check(bytes[0], 20, "coarse label");
    labels[size_t(i)] = check(bytes[label_bytes - 1], classes, "label");
    std::memcpy(images + size_t(i) * pixels, bytes.data() + label_bytes, pixels);
  }
  return result;
}

}  // namespace zoo::io
