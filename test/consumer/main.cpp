// Uses the installed library as its users do: one call per kind of part (torch-free core, tensors).
#include <libzoo/core/array.h>
#include <libzoo/core/error.h>
#include <libzoo/core/random.h>

#include <cstdio>

int main() {
  const zoo::Array array = zoo::Array::scalar<float>(1.5f);
  std::printf("consumer: %s %g, permutation of 3 starts with %lld\n", zoo::name(array.dtype()).data(), double(array.span<float>()[0]),
              static_cast<long long>(zoo::permutation(3, {}).front()));
}
