#include "test/catch.h"
#include "test/io/arrays.h"
#include "test/io/files.h"

#include <libzoo/core/error.h>
#include <libzoo/io/npy.h>
#include <libzoo/io/zip.h>

#include <zlib.h>

using namespace zoo;
using namespace zoo::test;

namespace {

std::string npy(const std::string& dict, const std::string& data, int version = 1) {
  std::string text = dict + "\n";
  return "\x93NUMPY" + std::string{char(version), '\0'} +
         (version == 1 ? raw<uint16_t>(uint16_t(text.size())) : raw<uint32_t>(uint32_t(text.size()))) + text + data;
}

Array read(const std::string& file) { return io::read_npy(bytes(file), "t.npy"); }
Arrays read_zip(const std::string& file) { return io::read_npz(bytes(file), "t.npz"); }

std::string zip_of(const std::vector<std::pair<std::string, std::string>>& members, io::ZipOptions options = {}) {
  std::string result;
  io::ZipWriter zip([&](std::span<const uint8_t> b) { result.append(reinterpret_cast<const char*>(b.data()), b.size()); }, options);
  for (const auto& [name, text] : members) zip.add(name, text);
  zip.finish();
  return result;
}

const std::string kF4 = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
const std::string kData = raw(1.0f) + raw(2.0f);

Arrays numpy_arrays() {
  Arrays arrays = arrays_of_every_type();
  for (const char* name : {"block.BF16", "block.F8_E4M3", "block.F8_E5M2"}) arrays.erase(name);
  return arrays;
}

// One deflated member in an archive laid out by hand from PKWARE's APPNOTE.
std::string deflated_zip(const std::string& member, uint32_t claimed_size, uint32_t crc_change = 0, const std::string& after = {}) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&z, member.size()), '\0');
  z.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(member.data()));
  z.avail_in = uInt(member.size());
  z.next_out = reinterpret_cast<uint8_t*>(packed.data());
  z.avail_out = uInt(packed.size());
  deflate(&z, Z_FINISH);
  packed.resize(z.total_out);
  deflateEnd(&z);
  packed += after;
  const auto crc = uint32_t(crc32(0, reinterpret_cast<const uint8_t*>(member.data()), uInt(member.size()))) ^ crc_change;
  // Local sizes are zero and a data descriptor follows, as in streamed writing.
  const std::string local = "PK\3\4" + raw<uint16_t>(20) + raw<uint16_t>(8) + raw<uint16_t>(8) + std::string(16, '\0') + raw<uint16_t>(5) +
                            raw<uint16_t>(0) + "a.npy" + packed + "PK\7\10" + raw(crc) + raw(uint32_t(packed.size())) + raw(claimed_size);
  const std::string central = "PK\1\2" + raw<uint16_t>(20) + raw<uint16_t>(20) + raw<uint16_t>(8) + raw<uint16_t>(8) + raw<uint32_t>(0) +
                              raw(crc) + raw(uint32_t(packed.size())) + raw(claimed_size) + raw<uint16_t>(5) + raw<uint16_t>(0) +
                              raw<uint16_t>(0) + std::string(8, '\0') + raw<uint32_t>(0) + "a.npy";
  return local + central + "PK\5\6" + raw<uint32_t>(0) + raw<uint16_t>(1) + raw<uint16_t>(1) + raw(uint32_t(central.size())) +
         raw(uint32_t(local.size())) + raw<uint16_t>(7) + "comment";
}

}  // namespace

TEST_CASE("Every type that numpy has survives a round trip through npy and npz", "[io]") {
  TemporaryFolder folder;
  const Arrays arrays = numpy_arrays();
  for (const auto& [name, array] : arrays) {
    io::write_npy(folder / "t.npy", array);
    REQUIRE(same(io::read_npy(io::map_file(folder / "t.npy"), "t"), array));
  }
  io::write_npz(folder / "t.npz", arrays);
  const auto map = io::map_file(folder / "t.npz");
  const auto read = io::read_npz(map, "t");
  REQUIRE(same(read, arrays));
  const auto* p = reinterpret_cast<const uint8_t*>(read.at("block.F32").data());
  REQUIRE((p >= map.data() && p < map.data() + map.size()));  // stored members are not copied
  REQUIRE_THROWS_WITH(io::write_npy(folder / "t.npy", random_array(DType::bf16, {1}, 1)), Contains("npy has no BF16"));
}

TEST_CASE("npy headers of all versions and habits are understood", "[io]") {
  for (int version : {1, 2, 3}) REQUIRE(read(npy(kF4, kData, version)).span<float>()[1] == 2.0f);
  REQUIRE(read(npy("{\"shape\":(2L,),'fortran_order':False ,'descr':'<f4'}   ", kData)).size() == 2);
  REQUIRE(read(npy("{'descr': '=f4', 'fortran_order': True, 'shape': (), }", raw(3.0f))).span<float>()[0] == 3.0f);
  REQUIRE(read(npy("{'descr': '>u2', 'fortran_order': False, 'shape': (1, 1,), }", "\x01\x02")).span<uint16_t>()[0] == 0x0102);
  REQUIRE(read(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (0, 5), }", "")).shape() == std::vector<int64_t>{0, 5});
  REQUIRE(read(npy(kF4, kData + "another array")).size() == 2);  // numpy appends arrays to one file
}

TEST_CASE("Fortran order comes out row-major", "[io]") {
  // numpy: a = [[0, 1, 2], [3, 4, 5]] is stored 0 3 1 4 2 5.
  const std::string data = {0, 3, 1, 4, 2, 5};
  const Array a = read(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", data));
  for (uint8_t i = 0; i < 6; ++i) REQUIRE(a.span<uint8_t>()[i] == i);
}

TEST_CASE("Damaged and unsupported npy files are refused", "[io]") {
  struct Bad {
    std::string file;
    const char* message;
  };
  const auto dict = [](const char* descr, const char* shape) {
    return npy(std::string("{'descr': ") + descr + ", 'fortran_order': False, 'shape': " + shape + ", }", kData);
  };
  const Bad cases[] = {
      {"", "does not begin with"},
      {"\x93NUMPX", "does not begin with"},
      {"\x93NUMPY\x01", "the version takes 1 bytes, 0 are left"},
      {"\x93NUMPY\x04" + std::string(20, '\0'), "npy version 4.0"},
      {npy(kF4, kData).substr(0, 20), "the header takes"},
      {npy(kF4, kData.substr(1)), "the array takes 8 bytes, 7 are left"},
      {with(npy(kF4, kData), 10 + kF4.size(), 1, " "), "does not end with a newline"},
      {dict("'|O'", "(2,)"), "dtype '|O'"},
      {dict("'<M8[ns]'", "(2,)"), "is not supported"},
      {dict("'<U4'", "(2,)"), "is not supported"},
      {dict("'<c8'", "(2,)"), "is not supported"},
      {dict("'f4'", "(2,)"), "is not supported"},
      {dict("''", "(2,)"), "is not supported"},
      {dict("[('a', '<f4')]", "(2,)"), "structured"},
      {dict("'<f4'", "(2)"), "(n,)"},
      {dict("'<f4'", "[2]"), "expected '('"},
      {dict("'<f4'", "(-2,)"), "negative"},
      {dict("'<f4'", "(4611686018427387904, 4)"), "too large"},
      {dict("'<f4'", "(99999999999999999999,)"), "63 bits"},
      {dict("'<f4'", "(02,)"), "expected a dimension"},
      {dict("'<f4'", "(,)"), "expected a dimension"},
      {npy("{'descr': '<f4', 'shape': (2,), }", kData), "are needed"},
      {npy("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }", kData), "True or False"},
      {npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", kData), "appears twice"},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", kData), "unknown key 'x'"},
      {npy(kF4 + " 1", kData), "something follows"},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", kData), "expected '}'"},
      {npy("__import__('os').system('true')", kData), "expected '{'"},
  };
  for (const auto& bad : cases) {
    INFO(bad.file);
    REQUIRE_THROWS_AS(read(bad.file), UserError);
    REQUIRE_THROWS_WITH(read(bad.file), Contains(bad.message) && Contains("t.npy"));
  }
}

TEST_CASE("Archives with ZIP64 fields, deflated and streamed members, comments are read", "[io]") {
  const std::string member = npy(kF4, kData);
  REQUIRE(read_zip(zip_of({{"a/b.npy", member}, {"c.npy", member}}, {.alignment = 1, .force_zip64 = true})).at("a/b").size() == 2);
  REQUIRE(read_zip(deflated_zip(member, uint32_t(member.size()))).at("a").span<float>()[1] == 2.0f);
  REQUIRE(read_zip(zip_of({})).empty());
}

TEST_CASE("Damaged archives are refused", "[io]") {
  const std::string member = npy(kF4, kData), good = zip_of({{"a.npy", member}}, {.alignment = 1});
  const size_t data = 30 + 5, central = data + member.size(), end = central + 46 + 5;
  REQUIRE(good.size() == end + 22);
  struct Bad {
    const char* why;
    std::string file;
    const char* message;
  };
  const Bad cases[] = {
      {"no archive", "hello", "no end record"},
      {"cut", good.substr(0, good.size() - 1), "no end record"},
      {"bytes before", "x" + good, "does not end at"},
      {"a byte of the data", with(good, data + member.size() - 1, 1, "x"), "checksum"},
      {"a wrong checksum", deflated_zip(member, uint32_t(member.size()), 1), "checksum"},
      {"more than claimed", deflated_zip(member, uint32_t(member.size() - 1)), "more or less than"},
      {"less than claimed", deflated_zip(member, uint32_t(member.size() + 1)), "more or less than"},
      {"a claim that deflate cannot keep", deflated_zip(member, 0x7FFFFFFF), "cannot hold"},
      {"bytes after the deflated data", deflated_zip(member, uint32_t(member.size()), 0, "xyz"), "after the compressed data"},
      {"encrypted", with(good, central + 8, 1, "\x01"), "encrypted"},
      {"another method", with(good, central + 10, 1, "\x0C"), "method 12"},
      {"local name differs", with(good, 30, 1, "b"), "another name"},
      {"no local header", with(good, 0, 1, "Q"), "no local header"},
      {"data beyond the directory", with(with(good, central + 20, 4, raw<uint32_t>(100000)), central + 24, 4, raw<uint32_t>(100000)),
       "beyond the archive"},
      {"stored with two sizes", with(good, central + 20, 4, raw<uint32_t>(1)), "stored, but"},
      {"more entries than there are", with(good, end + 8, 4, raw<uint16_t>(2) + raw<uint16_t>(2)), "cannot hold 2 entries"},
      {"fewer entries than there are", with(good, end + 8, 4, raw<uint16_t>(0) + raw<uint16_t>(0)), "longer than its entries"},
      {"a name twice", zip_of({{"a.npy", member}, {"a.npy", member}}), "twice"},
      {"a key twice", zip_of({{"a.npy", member}, {"a", member}}), "twice"},
      {"no array", zip_of({{"a.npy", "hello"}}), "does not begin with"},
      {"bytes after the array", zip_of({{"a.npy", member + "x"}}), "1 bytes after the array"},
  };
  for (const auto& bad : cases) {
    INFO(bad.why);
    REQUIRE_THROWS_AS(read_zip(bad.file), UserError);
    REQUIRE_THROWS_WITH(read_zip(bad.file), Contains(bad.message) && Contains("t.npz"));
  }
}

TEST_CASE("Two members cannot share their data", "[io]") {
  // The way of zip bombs: entries that all point to one member.
  const std::string member = npy(kF4, kData), one = zip_of({{"a.npy", member}}, {.alignment = 1});
  const size_t central = 35 + member.size();
  const std::string entry = one.substr(central, 51), second = with(entry, 46, 1, "b");
  const std::string file = one.substr(0, central) + entry + second + "PK\5\6" + raw<uint32_t>(0) + raw<uint16_t>(2) + raw<uint16_t>(2) +
                           raw<uint32_t>(102) + raw(uint32_t(central)) + raw<uint16_t>(0);
  REQUIRE_THROWS_WITH(read_zip(file), Contains("overlaps"));
}
