#include <ATen/Functions.h>
#include <libzoo/core/error.h>
#include <libzoo/io/tensor.h>

#include <fmt/format.h>

namespace zoo::io {
namespace {

constexpr std::pair<DType, at::ScalarType> kTypes[] = {{DType::f64, at::kDouble},         {DType::f32, at::kFloat},
                                                       {DType::f16, at::kHalf},           {DType::bf16, at::kBFloat16},
                                                       {DType::i64, at::kLong},           {DType::i32, at::kInt},
                                                       {DType::i16, at::kShort},          {DType::i8, at::kChar},
                                                       {DType::u64, at::kUInt64},         {DType::u32, at::kUInt32},
                                                       {DType::u16, at::kUInt16},         {DType::u8, at::kByte},
                                                       {DType::boolean, at::kBool},       {DType::f8_e4m3, at::kFloat8_e4m3fn},
                                                       {DType::f8_e5m2, at::kFloat8_e5m2}};

at::Tensor contiguous_on_cpu(const at::Tensor& tensor) {
  if (!tensor.defined()) throw Error("an undefined tensor holds no numbers");
  if (tensor.layout() != at::kStrided) throw Error("a sparse tensor cannot become an array", "call to_dense() first");
  return tensor.detach().to(at::kCPU).resolve_conj().resolve_neg().contiguous();
}

}  // namespace

at::ScalarType scalar_type(DType type) {
  for (const auto& [ours, torch] : kTypes) {
    if (ours == type) return torch;
  }
  throw Error(fmt::format("no tensor can hold {}", name(type)));
}

DType dtype_of(at::ScalarType type) {
  for (const auto& [ours, torch] : kTypes) {
    if (torch == type) return ours;
  }
  throw Error(fmt::format("tensors of type {} cannot be stored", c10::toString(type)));
}

at::Tensor to_tensor(const Array& array) {
  const auto options = at::TensorOptions().dtype(scalar_type(array.dtype()));
  if (array.size() > 0 && array.aligned() && array.owner()) {
    return at::from_blob(const_cast<std::byte*>(array.data()), array.shape(), [owner = array.owner()](void*) {}, options);
  }
  at::Tensor tensor = at::empty(array.shape(), options);
  if (array.size() > 0) std::memcpy(tensor.mutable_data_ptr(), array.data(), array.bytes());
  return tensor;
}

Array to_array(const at::Tensor& tensor) {
  const at::Tensor source = contiguous_on_cpu(tensor);
  Array array(dtype_of(source.scalar_type()), source.sizes().vec());
  if (array.size() > 0) std::memcpy(array.mutable_data(), source.const_data_ptr(), array.bytes());
  return array;
}

Array view_array(const at::Tensor& tensor) {
  const auto kept = std::make_shared<const at::Tensor>(contiguous_on_cpu(tensor));
  const DType type = dtype_of(kept->scalar_type());
  if (kept->numel() == 0) return Array(type, kept->sizes().vec());
  return Array(type, kept->sizes().vec(), kept->const_data_ptr(), kept);
}

}  // namespace zoo::io
