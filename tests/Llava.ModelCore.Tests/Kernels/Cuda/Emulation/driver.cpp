// The NVIDIA driver that the tests load instead of libcuda: one device, whose memory is the process's and whose kernels are the emulated ones.
// An image may be anything but the word BROKEN; a kernel is found by its name in the table below.
#include <cstring>
#include <string>
#include <tuple>
#include <utility>
#include <vector>
#include "launch.h"
#include "add_rms_norm.cu"
#include "gated_activation.cu"
#include "rotary_append.cu"
#include "sample_rows.cu"
#include "decode_attention.cu"
#include "four_bit_product.cu"
#include "four_bit_dequantize.cu"
#include "quantize_rows.cu"
#include "add_rms_norm_fp8.cu"
#include "gated_activation_fp8.cu"
#include "rotary_append_fp8.cu"
#include "decode_attention_fp8.cu"
#include "expand_extents.cu"

namespace {
using Call = const char* (*)(const Grid&, unsigned, void**);

template <auto Kernel, typename... Types, size_t... Indices>
const char* call(void (*)(Types...), std::index_sequence<Indices...>, const Grid& grid, unsigned order, void** arguments) {
    const std::tuple<Types...> values(*static_cast<Types*>(arguments[Indices])...);
    return launch(grid, order, [&] { std::apply(Kernel, values); });
}

template <auto Kernel, typename... Types> constexpr std::index_sequence_for<Types...> indices(void (*)(Types...)) { return {}; }

template <auto Kernel> const char* call(const Grid& grid, unsigned order, void** arguments) {
    return call<Kernel>(Kernel, indices<Kernel>(Kernel), grid, order, arguments);
}

struct Entry { const char* name; Call call; };

#define KERNEL(name) {#name, call<name>}
const Entry Kernels[] = {
    KERNEL(add_rms_norm), KERNEL(gated_activation), KERNEL(rotary_append), KERNEL(sample_rows),
    KERNEL(decode_attention_1), KERNEL(decode_attention_2), KERNEL(decode_attention_4), KERNEL(decode_attention_8), KERNEL(merge_attention),
    KERNEL(int4_product_1), KERNEL(int4_product_2), KERNEL(int4_product_4), KERNEL(int4_product_8),
    KERNEL(nf4_product_1), KERNEL(nf4_product_2), KERNEL(nf4_product_4), KERNEL(nf4_product_8), KERNEL(int4_dequantize), KERNEL(nf4_dequantize),
    KERNEL(quantize_rows), KERNEL(add_rms_norm_fp8), KERNEL(gated_activation_fp8), KERNEL(rotary_append_fp8), KERNEL(expand_extents),
    KERNEL(decode_attention_fp8_1), KERNEL(decode_attention_fp8_2), KERNEL(decode_attention_fp8_4), KERNEL(decode_attention_fp8_8),
};

enum Result { Success = 0, InvalidValue = 1, InvalidImage = 200, InvalidContext = 201, NotFound = 500, LaunchFailed = 719 };

thread_local bool has_context;
thread_local std::string last_fault = "unspecified launch failure";
}

extern "C" {
// In which order the threads of the next launches run; of the calling thread.
thread_local unsigned emulated_order;
void emulator_order(unsigned order) { emulated_order = order; }
unsigned emulator_e4m3(float number) { return to_e4m3(number); }

int cuInit(unsigned) { return Success; }
int cuDriverGetVersion(int* version) { *version = 12040; return Success; }
int cuGetErrorString(int error, const char** text) {
    *text = error == LaunchFailed ? last_fault.c_str() : error == InvalidImage ? "device kernel image is invalid" : error == NotFound ? "named symbol not found" : "invalid argument";
    return Success;
}
int cuDeviceGetCount(int* count) { *count = 1; return Success; }
int cuDeviceGet(int* device, int ordinal) { *device = 7; return ordinal == 0 ? Success : InvalidValue; }
int cuDeviceGetName(char* name, int length, int) { strncpy(name, "Emulated device", length); return Success; }
int cuDeviceGetAttribute(int* value, int attribute, int device) {
    *value = attribute == 75 ? 8 : attribute == 76 ? 9 : attribute == 16 ? 3 : -1;
    return device == 7 && *value >= 0 ? Success : InvalidValue;
}
int cuDevicePrimaryCtxRetain(void** context, int) { *context = &has_context; return Success; }
int cuDevicePrimaryCtxRelease_v2(int) { return Success; }
int cuCtxSetCurrent(void* context) { has_context = context != nullptr; return Success; }
int cuMemGetInfo_v2(size_t* free, size_t* total) { *free = 3ull << 30; *total = 5ull << 30; return has_context ? Success : InvalidContext; }
int cuModuleLoadData(void** module, const char* image) { *module = strdup(image); return strstr(image, "BROKEN") ? InvalidImage : has_context ? Success : InvalidContext; }
int cuModuleUnload(void* module) { free(module); return Success; }
int cuModuleGetFunction(void** function, void*, const char* name) {
    for (const Entry& entry : Kernels) if (!strcmp(entry.name, name)) { *function = (void*)&entry; return Success; }
    return NotFound;
}
int cuLaunchKernel(void* function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned, unsigned, unsigned, void*, void** arguments, void**) {
    if (x == 0 || y == 0 || z == 0 || y > 65535 || z > 65535 || threads == 0 || threads > 1024) return InvalidValue;
    const char* problem = static_cast<const Entry*>(function)->call({(int)x, (int)y, (int)z, (int)threads}, emulated_order, arguments);
    if (problem) last_fault = problem;
    return problem ? LaunchFailed : Success;
}
int cuEventCreate(void** event, unsigned) { *event = new float(0); return Success; }
int cuEventRecord(void* event, void*) { static float clock; *static_cast<float*>(event) = clock += 1.5f; return Success; }
int cuEventQuery(void* event) { return *static_cast<float*>(event) > 0 ? Success : 600; }
int cuEventSynchronize(void*) { return Success; }
int cuEventElapsedTime(float* milliseconds, void* start, void* end) { *milliseconds = *static_cast<float*>(end) - *static_cast<float*>(start); return Success; }
int cuEventDestroy_v2(void* event) { delete static_cast<float*>(event); return Success; }
}
