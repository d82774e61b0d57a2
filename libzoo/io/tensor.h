// Arrays and tensors: the same numbers without and with LibTorch.
#pragma once

#include <ATen/core/Tensor.h>
#include <libzoo/core/array.h>

namespace zoo::io {

at::ScalarType scalar_type(DType type);
DType dtype_of(at::ScalarType type);  // throws Error for complex, quantized and other types that no file here can hold

// A CPU tensor that shares the array's memory, which it keeps alive, if that is aligned; else a copy. Writing to the tensor
// never reaches a file: mapped files are mapped privately.
at::Tensor to_tensor(const Array& array);

// A copy, contiguous, on the CPU; from any device and any strides. Throws Error for sparse tensors.
Array to_array(const at::Tensor& tensor);

// The same without copying what is already contiguous and on the CPU: changes of the tensor show in the array.
Array view_array(const at::Tensor& tensor);

}  // namespace zoo::io
