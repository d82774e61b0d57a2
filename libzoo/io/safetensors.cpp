#include <libzoo/core/error.h>
#include <libzoo/io/array_view.h>
#include <libzoo/io/atomic_file.h>
#include <libzoo/io/byte_reader.h>
#include <libzoo/io/safetensors.h>
#include <libzoo/io/safetensors_header.h>
#include <libzoo/io/utf8.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace zoo::io {
namespace {

constexpr uint64_t kMaxHeader = 100'000'000;

void check_ranges(std::vector<SafeTensorsEntry>& entries, uint64_t buffer, const std::string& where) {
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  uint64_t expected = 0;
  for (const auto& e : entries) {
    const auto fail = [&](const std::string& why) { throw UserError(fmt::format("{}: tensor '{}': {}", where, e.name, why)); };
    if (e.end < e.begin) fail(fmt::format("data_offsets [{}, {}] run backwards", e.begin, e.end));
    if (e.end > buffer) fail(fmt::format("data ends at byte {} of a buffer of {} bytes", e.end, buffer));
    int64_t items = 0;
    try {
      items = count(e.shape, item_size(e.dtype));
    } catch (const Error& error) {
      fail(error.what());
    }
    const uint64_t bytes = uint64_t(items) * item_size(e.dtype);
    if (bytes != e.end - e.begin) {
      fail(fmt::format("{} [{}] takes {} bytes, data_offsets give {}", name(e.dtype), fmt::join(e.shape, ", "), bytes, e.end - e.begin));
    }
    if (e.begin != expected) fail(fmt::format("data begins at byte {} of the buffer, the data before it ends at {}", e.begin, expected));
    expected = e.end;
  }
  if (expected != buffer) {
    throw UserError(fmt::format("{}: the tensors end at byte {} of a buffer of {} bytes", where, expected, buffer));
  }
}

// A JSON string. `text` is UTF-8.
void append_quoted(std::string& json, std::string_view text) {
  json += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (uint8_t(c) < 0x20) {
      json += fmt::format("\\u{:04x}", uint8_t(c));
    } else {
      json += c;
    }
  }
  json += '"';
}

std::string make_header(const std::vector<std::pair<std::string, const Array*>>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  std::string json = "{";
  if (!metadata.empty()) {
    json += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      if (json.back() != '{') json += ',';
      append_quoted(json, key);
      json += ':';
      append_quoted(json, value);
    }
    json += '}';
  }
  uint64_t offset = 0;
  for (const auto& [key, array] : tensors) {
    if (json.size() > 1) json += ',';
    append_quoted(json, key);
    json += fmt::format(":{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", name(array->dtype()),
                        fmt::join(array->shape(), ","), offset, offset + array->bytes());
    offset += array->bytes();
  }
  json += '}';
  json.resize((json.size() + 7) / 8 * 8, ' ');
  return json;
}

}  // namespace

SafeTensors read_safetensors(const Bytes& file, const std::string& where) {
  ByteReader reader(file.view, where);
  const auto length = reader.little<uint64_t>("the header length");
  if (length > kMaxHeader)
    reader.fail(fmt::format("the header claims {} bytes, the format allows {}: no safetensors file", length, kMaxHeader));
  const auto json = reader.take(length, "the header");
  const auto buffer = file.view.subspan(reader.position());

  MemoryBudget budget(file.size(), where);
  auto header = parse_safetensors_header(json, where, budget);
  check_ranges(header.entries, buffer.size(), where);

  SafeTensors result;
  result.metadata = std::move(header.metadata);
  for (auto& e : header.entries) {
    const auto bytes = buffer.subspan(e.begin, e.end - e.begin);
    result.tensors.emplace(std::move(e.name), make_array(e.dtype, std::move(e.shape), bytes, file.owner, budget));
  }
  return result;
}

void write_safetensors(const std::filesystem::path& path, const Arrays& tensors, const std::map<std::string, std::string>& metadata) {
  std::vector<std::pair<std::string, const Array*>> order;
  for (const auto& [key, array] : tensors) {
    if (key == "__metadata__") throw Error(fmt::format("{}: a tensor cannot be named __metadata__", path.string()));
    if (!is_utf8(key)) throw Error(fmt::format("{}: a tensor's name is not UTF-8", path.string()));
    order.emplace_back(key, &array);
  }
  for (const auto& [key, value] : metadata) {
    if (!is_utf8(key) || !is_utf8(value))
      throw Error(fmt::format("{}: metadata '{}' is not UTF-8", path.string(), is_utf8(key) ? key : "?"));
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return item_size(a.second->dtype()) > item_size(b.second->dtype()); });
  const std::string header = make_header(order, metadata);
  if (header.size() > kMaxHeader)
    throw Error(fmt::format("{}: the header takes {} bytes, the format allows {}", path.string(), header.size(), kMaxHeader));

  AtomicFile file(path);
  const uint64_t length = header.size();
  file.write({reinterpret_cast<const uint8_t*>(&length), sizeof length});
  file.write(header);
  for (const auto& [key, array] : order) file.write({reinterpret_cast<const uint8_t*>(array->data()), array->bytes()});
  file.commit();
}

}  // namespace zoo::io
