#include <libzoo/core/error.h>
#include <libzoo/io/memory_budget.h>
#include <libzoo/io/proto.h>
#include <libzoo/io/tfevents.h>
#include <libzoo/io/tfrecord.h>
#include <libzoo/io/utf8.h>

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <optional>

namespace zoo::io {
namespace {

// Messages as protobuf merges them: fields in any order, of a oneof the last kind wins, a repeated message of the same
// kind is merged.

struct TensorValue {
  uint64_t dtype = 0;
  bool has_dims = false;
  std::string_view content;
  uint64_t floats = 0;  // how many
  float first = 0;

  void merge(std::span<const uint8_t> message, const std::string& where) {
    ProtoReader r(message, where);
    while (auto f = r.next()) {
      if (f->number == 1 && f->type == WireType::varint)
        dtype = f->value;
      else if (f->number == 2 && f->type == WireType::bytes)
        merge_shape(f->bytes, where);
      else if (f->number == 4 && f->type == WireType::bytes)
        content = f->text();
      else if (f->number == 5 && f->type == WireType::fixed32)
        add(f->as_float());
      else if (f->number == 5 && f->type == WireType::bytes)
        add_packed(f->bytes, where);
    }
  }

  // The scalar, if it is one.
  std::optional<float> scalar() const {
    if (dtype != 1 || has_dims) return std::nullopt;
    if (content.size() == sizeof(float)) {
      float value;
      std::memcpy(&value, content.data(), sizeof value);
      return value;
    }
    if (content.empty() && floats == 1) return first;
    return std::nullopt;
  }

 private:
  void merge_shape(std::span<const uint8_t> message, const std::string& where) {
    ProtoReader r(message, where);
    while (auto f = r.next()) {
      if (f->number == 2 && f->type == WireType::bytes) has_dims = true;
      if (f->number == 3 && f->type == WireType::varint && f->value != 0) has_dims = true;  // unknown rank
    }
  }

  void add(float value) {
    if (floats++ == 0) first = value;
  }

  void add_packed(std::span<const uint8_t> values, const std::string& where) {
    ProtoReader r(values, where);
    while (auto bits = r.next_fixed32()) add(std::bit_cast<float>(*bits));
  }
};

struct SummaryValue {
  std::string_view tag;
  uint32_t kind = 0;  // field number of the oneof's member
  float simple = 0;
  TensorValue tensor;

  void merge(std::span<const uint8_t> message, const std::string& where) {
    ProtoReader r(message, where);
    while (auto f = r.next()) {
      if (f->number == 1 && f->type == WireType::bytes) {
        tag = f->text();
        if (!is_utf8(tag)) throw UserError(fmt::format("{}: a tag is not UTF-8", where));
      } else if (f->number == 2 && f->type == WireType::fixed32) {
        choose(2);
        simple = f->as_float();
      } else if (f->number >= 3 && f->number <= 6 && f->type == WireType::bytes) {
        choose(f->number);
      } else if (f->number == 8 && f->type == WireType::bytes) {
        choose(8);
        tensor.merge(f->bytes, where);
      }
    }
  }

  std::optional<float> scalar() const { return kind == 2 ? std::optional(simple) : kind == 8 ? tensor.scalar() : std::nullopt; }

 private:
  void choose(uint32_t member) {
    if (kind != member) tensor = {};
    kind = member;
  }
};

void read_event(std::span<const uint8_t> message, const std::string& where, MemoryBudget& budget, std::vector<ScalarEvent>& result) {
  double wall_time = 0;
  int64_t step = 0;
  const size_t first = result.size();
  ProtoReader r(message, where);
  while (auto f = r.next()) {
    if (f->number == 1 && f->type == WireType::fixed64)
      wall_time = f->as_double();
    else if (f->number == 2 && f->type == WireType::varint)
      step = int64_t(f->value);
    // Members of the oneof `what`: any other drops the summary.
    else if ((f->number == 3 || f->number == 4 || (f->number >= 6 && f->number <= 9)) && f->type == WireType::bytes)
      result.resize(first);
    else if (f->number == 5 && f->type == WireType::bytes) {
      ProtoReader summary(f->bytes, where);
      while (auto v = summary.next()) {
        if (v->number != 1 || v->type != WireType::bytes) continue;
        SummaryValue value;
        value.merge(v->bytes, where);
        if (auto scalar = value.scalar()) {
          budget.spend(2 * sizeof(ScalarEvent) + value.tag.size(), "a scalar");
          result.push_back({0, 0, std::string(value.tag), *scalar});
        }
      }
    }
  }
  for (size_t i = first; i < result.size(); ++i) {
    result[i].wall_time = wall_time;
    result[i].step = step;
  }
}

}  // namespace

std::vector<ScalarEvent> read_scalars(const Bytes& file, const std::string& where) {
  std::vector<ScalarEvent> result;
  MemoryBudget budget(file.size(), where);
  TfRecordReader records(file, where, {.still_written = true});
  while (const auto record = records.next())
    read_event(record->view, fmt::format("{}: record {}", where, records.records() - 1), budget, result);
  return result;
}

}  // namespace zoo::io
