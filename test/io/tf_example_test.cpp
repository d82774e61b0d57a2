#include "test/catch.h"
#include "test/io/records.h"

#include <libzoo/core/error.h>
#include <libzoo/io/tf_example.h>

#include <cmath>
#include <limits>

using namespace zoo;
using namespace zoo::test;

namespace {

using BytesList = std::vector<std::span<const uint8_t>>;
using Floats = std::vector<float>;
using Integers = std::vector<int64_t>;

std::string ld(uint32_t field, const std::string& value) { return length_delimited(field, value); }

// An Example of these entries; an entry of name and Feature.
std::string example(const std::string& entries) { return ld(1, entries); }
std::string entry(const std::string& name, const std::string& feature) { return ld(1, ld(1, name) + ld(2, feature)); }
std::string bytes_list(const std::string& fields) { return ld(1, fields); }
std::string float_list(const std::string& fields) { return ld(2, fields); }
std::string int64_list(const std::string& fields) { return ld(3, fields); }

// One feature "k", decoded.
io::TfFeature decoded(const std::string& feature) {
  const auto result = io::decode_example(bytes(example(entry("k", feature))), "t");
  REQUIRE(result.features.size() == 1);
  return result.features.at("k");
}

io::TfExample decode(const std::string& message) { return io::decode_example(bytes(message), "t"); }

std::string group(uint32_t field, const std::string& inside) {
  return std::string(1, char(field << 3 | 3)) + inside + std::string(1, char(field << 3 | 4));
}

std::string nested_groups(int depth) {
  std::string result;
  for (int i = 0; i < depth; ++i) result = group(15, result);
  return result;
}

std::string zeros(size_t n) { return std::string(n, '\0'); }

}  // namespace

TEST_CASE("Numbers come packed, one by one, or mixed", "[io]") {
  const std::string one = raw(1.0f), two = raw(2.0f), three = raw(3.0f);
  REQUIRE(std::get<Floats>(decoded(float_list(ld(1, one + two + three)))) == Floats{1, 2, 3});
  REQUIRE(std::get<Floats>(decoded(float_list("\x0D" + one + "\x0D" + two))) == Floats{1, 2});
  REQUIRE(std::get<Floats>(decoded(float_list("\x0D" + one + ld(1, two) + ld(1, "") + "\x0D" + three))) == Floats{1, 2, 3});
  REQUIRE(std::get<Integers>(decoded(int64_list(ld(1, "\x01\x80\x01")))) == Integers{1, 128});
  REQUIRE(std::get<Integers>(decoded(int64_list("\x08\x05" + ld(1, "\x06\x07") + "\x08\x08"))) == Integers{5, 6, 7, 8});
}

TEST_CASE("Varints may be longer than needed, up to ten bytes, and are cut to 64 bits", "[io]") {
  const auto value = [](const std::string& varint) { return std::get<Integers>(decoded(int64_list("\x08" + varint))).at(0); };
  const std::string nines = std::string(9, '\xFF');
  REQUIRE(value(nines + "\x01") == -1);
  REQUIRE(value(nines + "\x7F") == -1);
  REQUIRE(value(std::string(9, '\x80') + "\x01") == INT64_MIN);
  REQUIRE(value("\x85" + std::string(8, '\x80') + zeros(1)) == 5);
  REQUIRE_THROWS_WITH(value(nines + "\x80" + zeros(1)), Contains("more than 10 bytes"));
  REQUIRE_THROWS_WITH(value("\x80"), Contains("a varint takes 1 bytes more"));
  REQUIRE_THROWS_WITH(decoded(int64_list(ld(1, "\x01\x80"))), Contains("a varint takes 1 bytes more"));
}

TEST_CASE("Lists and features without values keep their kind", "[io]") {
  REQUIRE(decoded("").index() == 0);
  REQUIRE(std::get<BytesList>(decoded(bytes_list(""))).empty());
  REQUIRE(std::get<Floats>(decoded(float_list(""))).empty());
  REQUIRE(std::get<Integers>(decoded(int64_list(ld(1, "")))).empty());
  REQUIRE(std::get<BytesList>(decoded(bytes_list(ld(1, "")))).size() == 1);
  REQUIRE(decode("").features.empty());
  REQUIRE(decode(example("")).features.empty());
}

TEST_CASE("Repeated messages merge, the last kind of a oneof and the last entry of a name win", "[io]") {
  const std::string five = int64_list("\x08\x05"), six = int64_list("\x08\x06"), half = float_list("\x0D" + raw(0.5f));
  REQUIRE(std::get<Integers>(decoded(five + six)) == Integers{5, 6});
  REQUIRE(std::get<Floats>(decoded(five + half)) == Floats{0.5f});
  REQUIRE(std::get<Integers>(decoded(five + half + six)) == Integers{6});
  // Two values in one entry merge; two entries of one name do not.
  REQUIRE(std::get<Integers>(decode(example(ld(1, ld(1, "k") + ld(2, five) + ld(2, six)))).features.at("k")) == Integers{5, 6});
  REQUIRE(std::get<Integers>(decode(example(entry("k", five) + entry("k", six))).features.at("k")) == Integers{6});
  REQUIRE(decode(example(entry("k", five) + ld(1, ld(1, "k")))).features.at("k").index() == 0);
  // Features twice, a value before its name, no name at all.
  const auto merged = decode(example(entry("a", five)) + example(ld(1, ld(2, six) + ld(1, "x") + ld(1, "b")) + ld(1, "")));
  REQUIRE(merged.features.size() == 3);
  REQUIRE(std::get<Integers>(merged.features.at("b")) == Integers{6});
  REQUIRE(merged.features.at("").index() == 0);
}

TEST_CASE("Unknown fields and known ones of another wire type are passed over", "[io]") {
  const std::string unknown = "\x78\x01" + ("\x79" + zeros(8)) + ld(15, "x") + group(15, "\x08\x01" + group(2, "")) + ("\x7D" + zeros(4));
  const std::string other_type = "\x08\x01" + ("\x09" + zeros(8)) + group(1, ld(1, "")) + ("\x0D" + zeros(4));
  const std::string feature = unknown + int64_list(unknown + "\x08\x05" + ("\x09" + zeros(8))) + "\x08\x01" + unknown;
  const auto result =
      decode(unknown + other_type + ld(1, unknown + other_type + ld(1, unknown + other_type + ld(1, "k") + ld(2, feature)) + unknown));
  REQUIRE(result.features.size() == 1);
  REQUIRE(std::get<Integers>(result.features.at("k")) == Integers{5});
}

TEST_CASE("Malformed examples are refused", "[io]") {
  REQUIRE_THROWS_WITH(decode("\x0A\x05x"), Contains("t: field 1 takes 5 bytes"));
  REQUIRE_THROWS_WITH(decode(zeros(2)), Contains("field number 0"));
  REQUIRE_THROWS_WITH(decode("\x0E\x01"), Contains("wire type 6"));
  REQUIRE_THROWS_WITH(decode("\x0F\x01"), Contains("wire type 7"));
  REQUIRE_THROWS_WITH(decode("\x7C"), Contains("never began"));
  REQUIRE_THROWS_WITH(decode("\x7B"), Contains("not closed"));
  REQUIRE_THROWS_WITH(decode("\x7B\x74"), Contains("another field's end"));
  REQUIRE_THROWS_WITH(decode("\x79" + zeros(7)), Contains("fixed-size value takes 8 bytes"));
  REQUIRE_THROWS_WITH(decoded(float_list(ld(1, zeros(5)))), Contains("fixed-size value takes 4 bytes"));
  for (const char* name : {"\xFF", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"})
    REQUIRE_THROWS_WITH(decode(example(entry(name, ""))), Contains("not UTF-8"));
  REQUIRE_THROWS_WITH(decode(example(ld(1, ld(1, "\xFF") + ld(1, "good")))), Contains("not UTF-8"));
  REQUIRE_NOTHROW(decoded(bytes_list(ld(1, "\xFF"))));
  // protobuf reads keys and lengths of at most five bytes.
  REQUIRE(decode("\x8A\x80\x80\x80" + zeros(1) + zeros(1)).features.empty());
  REQUIRE_THROWS_WITH(decode("\x8A\x80\x80\x80\x80" + zeros(1) + zeros(1)), Contains("more than 5 bytes"));
  REQUIRE_THROWS_WITH(decode("\x0A\x80\x80\x80\x80\x80" + zeros(1)), Contains("more than 5 bytes"));
}

TEST_CASE("Messages and groups nest 100 deep and no deeper", "[io]") {
  // The limits of protobuf 7.36.2 at each level.
  REQUIRE_NOTHROW(decode(nested_groups(100)));
  REQUIRE_THROWS_WITH(decode(nested_groups(101)), Contains("more than 100 deep"));
  REQUIRE_NOTHROW(decode(example(nested_groups(99))));
  REQUIRE_THROWS_WITH(decode(example(nested_groups(100))), Contains("more than 100 deep"));
  REQUIRE_NOTHROW(decoded(int64_list(nested_groups(96))));
  REQUIRE_THROWS_WITH(decoded(int64_list(nested_groups(97))), Contains("more than 100 deep"));
}

TEST_CASE("Bytes are views of the record, which the example keeps", "[io]") {
  const std::string text(1000, 'p');
  auto record = bytes(example(entry("image/encoded", bytes_list(ld(1, text)))));
  const auto* begin = record.data();
  const auto* end = begin + record.size();
  const auto result = io::decode_example(std::move(record), "t");
  const auto image = io::values_of<std::span<const uint8_t>>(result.features, "image/encoded", "t").at(0);
  REQUIRE(text_of(image) == text);
  REQUIRE((image.data() > begin && image.data() + image.size() <= end));
}

TEST_CASE("Features are asked for by name and kind", "[io]") {
  const auto result = decode(example(entry("n", int64_list("\x08\x05")) + entry("f", "")));
  REQUIRE(io::values_of<int64_t>(result.features, "n", "t").at(0) == 5);
  REQUIRE_THROWS_WITH(io::values_of<float>(result.features, "n", "t"), Contains("t: feature 'n' holds integers, wanted are floats"));
  REQUIRE_THROWS_WITH(io::values_of<int64_t>(result.features, "f", "t"), Contains("feature 'f' holds nothing"));
  REQUIRE_THROWS_WITH(io::values_of<int64_t>(result.features, "label", "t"), Contains("there is no feature 'label'"));
}

TEST_CASE("Encoding is protobuf's deterministic form", "[io]") {
  // protobuf 7.36.2: Example(features={'a': {}, 'b': {'int64_list': {}}}).SerializeToString(deterministic=True)
  const io::TfFeatures features{{"b", Integers{}}, {"a", {}}};
  REQUIRE(io::encode_example(features) == std::string("\x0A\x10\x0A\x05\x0A\x01"
                                                      "a\x12\x00\x0A\x07\x0A\x01"
                                                      "b\x12\x02\x1A\x00",
                                                      18));
  REQUIRE(io::encode_example({}).empty());
  REQUIRE(io::encode_example({{"k", Integers{-1, 300}}}) ==
          example(entry("k", int64_list(ld(1, std::string(9, '\xFF') + "\x01\xAC\x02")))));
  REQUIRE(io::encode_example({{"k", Floats{1, -0.0f}}}) == example(entry("k", float_list(ld(1, raw(1.0f) + raw(-0.0f))))));
  REQUIRE_THROWS_WITH(io::encode_example({{"\xFF", {}}}), Contains("not UTF-8"));
}

TEST_CASE("Random examples come back as they were", "[io]") {
  RandomStream random({.seed = 3});
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> names, texts;
    for (int i = 0; i < 200; ++i) texts.push_back(random_text_below(random, 300));
    for (uint64_t i = random.below(8); i > 0; --i) names.push_back("feature/" + std::to_string(random.below(1000)));
    const auto feature = [&]() -> io::TfFeature {
      const size_t n = size_t(random.below(20));
      BytesList list;
      Floats floats;
      Integers integers;
      for (size_t i = 0; i < n; ++i) {
        list.push_back(io::view_bytes(texts[random.below(texts.size())]));
        floats.push_back(float(random.normal()));
        integers.push_back(int64_t(uint64_t(random.next()) << random.below(33)) * (random.below(2) ? 1 : -1));
      }
      const io::TfFeature kinds[] = {{}, list, floats, integers};
      return kinds[random.below(4)];
    };
    const auto same = [](const io::TfFeature& a, const io::TfFeature& b) {
      if (a.index() != b.index() || a.index() != 1)
        return a.index() == b.index() && a.index() != 1 &&
               (a.index() == 0 || (a.index() == 2 ? std::get<2>(a) == std::get<2>(b) : std::get<3>(a) == std::get<3>(b)));
      return std::ranges::equal(std::get<1>(a), std::get<1>(b), [](auto x, auto y) { return std::ranges::equal(x, y); });
    };
    io::TfSequenceExample sequence;
    for (const auto& name : names) sequence.context[name] = feature();
    for (const auto& name : names) {
      for (uint64_t i = random.below(5); i > 0; --i) sequence.lists[name].push_back(feature());
    }
    const auto example = decode(io::encode_example(sequence.context));
    REQUIRE(std::ranges::equal(example.features, sequence.context,
                               [&](const auto& a, const auto& b) { return a.first == b.first && same(a.second, b.second); }));
    const auto read = io::decode_sequence_example(bytes(io::encode_sequence_example(sequence)), "t");
    REQUIRE(std::ranges::equal(read.context, sequence.context,
                               [&](const auto& a, const auto& b) { return a.first == b.first && same(a.second, b.second); }));
    REQUIRE(std::ranges::equal(read.lists, sequence.lists, [&](const auto& a, const auto& b) {
      return a.first == b.first && std::ranges::equal(a.second, b.second, same);
    }));
  }
}

TEST_CASE("Feature lists merge like features", "[io]") {
  const std::string five = int64_list("\x08\x05"), six = int64_list("\x08\x06");
  const auto list = [](const std::string& name, const std::string& value) { return ld(2, ld(1, ld(1, name) + value)); };
  // Two values of one entry merge into one list of two features.
  const auto merged = io::decode_sequence_example(bytes(list("k", ld(2, ld(1, five)) + ld(2, ld(1, six) + "\x08\x01"))), "t");
  REQUIRE(merged.lists.at("k").size() == 2);
  const auto last = io::decode_sequence_example(bytes(list("k", ld(2, ld(1, five))) + list("k", ld(2, "")) + list("e", "")), "t");
  REQUIRE((last.lists.size() == 2 && last.lists.at("k").empty() && last.lists.at("e").empty() && last.context.empty()));
}

TEST_CASE("Lists that would take far more memory than the record are refused", "[io]") {
  // Two bytes an entry, an empty value each: 16 bytes of memory for a view.
  std::string values;
  values.resize(2 * 6'000'000);
  for (size_t i = 0; i < values.size(); i += 2) values[i] = '\x0A';
  REQUIRE_THROWS_WITH(decoded(bytes_list(values)), Contains("a list of values"));
}
