#include <libzoo/core/error.h>
#include <libzoo/io/atomic_file.h>
#include <libzoo/io/pth.h>
#include <libzoo/io/utf8.h>
#include <libzoo/io/zip.h>

#include <fmt/format.h>

#include <set>

namespace zoo::io {
namespace {

// How torch names a type: the storage class where there is one, else the dtype of an untyped storage.
struct TorchType {
  DType dtype;
  const char *storage, *name;
};
constexpr TorchType kTypes[] = {{DType::f64, "DoubleStorage", "float64"}, {DType::f32, "FloatStorage", "float32"},
                                {DType::f16, "HalfStorage", "float16"},   {DType::bf16, "BFloat16Storage", "bfloat16"},
                                {DType::i64, "LongStorage", "int64"},     {DType::i32, "IntStorage", "int32"},
                                {DType::i16, "ShortStorage", "int16"},    {DType::i8, "CharStorage", "int8"},
                                {DType::u8, "ByteStorage", "uint8"},      {DType::boolean, "BoolStorage", "bool"},
                                {DType::u64, nullptr, "uint64"},          {DType::u32, nullptr, "uint32"},
                                {DType::u16, nullptr, "uint16"},          {DType::f8_e4m3, nullptr, "float8_e4m3fn"},
                                {DType::f8_e5m2, nullptr, "float8_e5m2"}};

const TorchType& torch_type(DType dtype) {
  for (const auto& type : kTypes) {
    if (type.dtype == dtype) return type;
  }
  throw Error(fmt::format("torch has no {}", name(dtype)));
}

class Pickle {
 public:
  Pickle() { bytes_ = "\x80\x02"; }

  void global(const std::string& module, const std::string& name) { bytes_ += "c" + module + "\n" + name + "\n"; }
  void op(char c) { bytes_ += c; }

  void text(std::string_view value) {
    op('X');
    append(uint32_t(value.size()));
    bytes_ += value;
  }

  void integer(int64_t value) {
    if (value <= INT32_MAX) {
      op('J');
      append(int32_t(value));
    } else {
      bytes_ += "\x8a\x08";
      append(value);
    }
  }

  void tuple(const std::vector<int64_t>& values) {
    op('(');
    for (int64_t value : values) integer(value);
    op('t');
  }

  void empty_ordered_dict() {
    global("collections", "OrderedDict");
    bytes_ += ")R";
  }

  void tensor(const Array& array, int64_t key) {
    const TorchType& type = torch_type(array.dtype());
    global("torch._utils", type.storage ? "_rebuild_tensor_v2" : "_rebuild_tensor_v3");
    bytes_ += "((";
    text("storage");
    if (type.storage)
      global("torch", type.storage);
    else
      global("torch.storage", "UntypedStorage");
    text(std::to_string(key));
    text("cpu");
    integer(type.storage ? array.size() : int64_t(array.bytes()));
    bytes_ += "tQ";
    integer(0);
    tuple(array.shape());
    std::vector<int64_t> strides(array.shape().size());
    int64_t stride = 1;
    for (size_t axis = strides.size(); axis-- > 0; stride *= std::max<int64_t>(array.shape()[axis], 1)) strides[axis] = stride;
    tuple(strides);
    op('\x89');  // requires_grad=False
    empty_ordered_dict();
    if (!type.storage) global("torch", type.name);
    bytes_ += "tR";
  }

  const std::string& bytes() const { return bytes_; }

 private:
  template <class T>
  void append(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  std::string bytes_;
};

std::vector<std::string> checked_order(const Arrays& tensors, std::vector<std::string> order, const std::string& where) {
  if (order.empty()) {
    for (const auto& [name, array] : tensors) order.push_back(name);
  }
  const std::set<std::string> names(order.begin(), order.end());
  if (names.size() != order.size() || order.size() != tensors.size())
    throw Error(fmt::format("{}: the order must name every tensor once", where));
  for (const auto& name : order) {
    if (!tensors.contains(name)) throw Error(fmt::format("{}: there is no tensor '{}'", where, name));
    if (!is_utf8(name)) throw Error(fmt::format("{}: a tensor's name is not UTF-8", where));
  }
  return order;
}

}  // namespace

void write_pth(const std::filesystem::path& path, const Arrays& tensors, const std::vector<std::string>& order) {
  const auto names = checked_order(tensors, order, path.string());
  Pickle pickle;
  pickle.empty_ordered_dict();
  pickle.op('(');
  for (size_t i = 0; i < names.size(); ++i) {
    pickle.text(names[i]);
    pickle.tensor(tensors.at(names[i]), int64_t(i));
  }
  pickle.op('u');
  pickle.op('.');

  AtomicFile file(path);
  ZipWriter zip([&](std::span<const uint8_t> bytes) { file.write(bytes); });
  zip.add("archive/data.pkl", pickle.bytes());
  zip.add("archive/byteorder", "little");
  for (size_t i = 0; i < names.size(); ++i) {
    const Array& array = tensors.at(names[i]);
    zip.add(fmt::format("archive/data/{}", i), {{reinterpret_cast<const uint8_t*>(array.data()), array.bytes()}});
  }
  zip.add("archive/version", "3\n");
  zip.finish();
  file.commit();
}

}  // namespace zoo::io
