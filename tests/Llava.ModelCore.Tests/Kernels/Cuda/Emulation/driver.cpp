// The NVIDIA driver that the tests load instead of libcuda: one device, whose memory is the process's and whose kernels are the emulated ones.
// An image may be anything but the word BROKEN; a kernel is found by its name in the table below.
#include <atomic>
#include <cstring>
#include <functional>
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
#include "gather_rows.cu"
#include "widen_numbers.cu"

namespace {
// A launch whose arguments are bound already, as a graph keeps it.
using Bound = std::function<void()>;
using Bind = Bound (*)(void**);

template <auto Kernel, typename... Types, size_t... Indices>
Bound bind(void (*)(Types...), std::index_sequence<Indices...>, void** arguments) {
    const std::tuple<Types...> values(*static_cast<Types*>(arguments[Indices])...);
    return [values] { std::apply(Kernel, values); };
}

template <auto Kernel, typename... Types> constexpr std::index_sequence_for<Types...> indices(void (*)(Types...)) { return {}; }

template <auto Kernel> Bound bind(void** arguments) { return bind<Kernel>(Kernel, indices<Kernel>(Kernel), arguments); }

struct Entry { const char* name; Bind bind; };

#define KERNEL(name) {#name, bind<name>}
const Entry Kernels[] = {
    KERNEL(add_rms_norm), KERNEL(gated_activation), KERNEL(rotary_append), KERNEL(sample_rows),
    KERNEL(decode_attention_1), KERNEL(decode_attention_2), KERNEL(decode_attention_4), KERNEL(decode_attention_8), KERNEL(merge_attention),
    KERNEL(int4_product_1), KERNEL(int4_product_2), KERNEL(int4_product_4), KERNEL(int4_product_8),
    KERNEL(nf4_product_1), KERNEL(nf4_product_2), KERNEL(nf4_product_4), KERNEL(nf4_product_8), KERNEL(int4_dequantize), KERNEL(nf4_dequantize),
    KERNEL(quantize_rows), KERNEL(add_rms_norm_fp8), KERNEL(gated_activation_fp8), KERNEL(rotary_append_fp8), KERNEL(expand_extents),
    KERNEL(decode_attention_fp8_1), KERNEL(decode_attention_fp8_2), KERNEL(decode_attention_fp8_4), KERNEL(decode_attention_fp8_8),
    KERNEL(gather_rows), KERNEL(widen_numbers),
};

enum Result { Success = 0, InvalidValue = 1, InvalidImage = 200, InvalidContext = 201, NotFound = 500, LaunchFailed = 719, CaptureUnsupported = 900, CaptureInvalidated = 901 };

thread_local bool has_context;
thread_local std::string last_fault = "unspecified launch failure";

struct Recorded { Grid grid; Bound work; };
using Graph = std::vector<Recorded>;

thread_local void* captured_stream;
thread_local Graph recording;
thread_local bool is_invalidated;
std::atomic<int> graphs;

struct Event { float time; void* stream; };

// Which stream waited for something of which other.
thread_local std::vector<std::pair<void*, void*>> waits;

Graph* made(const Graph& graph) { graphs++; return new Graph(graph); }
int destroyed(void* graph) { graphs--; delete static_cast<Graph*>(graph); return Success; }
}

extern "C" {
// In which order the threads of the next launches run; of the calling thread.
thread_local unsigned emulated_order;
void emulator_order(unsigned order) { emulated_order = order; }
unsigned emulator_e4m3(float number) { return to_e4m3(number); }
// Graphs, ready ones too, that nobody has given back.
int emulator_graphs() { return graphs; }
// The oldest wait of a stream for another, on the calling thread, which is forgotten then; 0 where there is none left.
int emulator_wait(void** stream, void** other) {
    if (waits.empty()) return 0;
    std::tie(*stream, *other) = waits.front();
    waits.erase(waits.begin());
    return 1;
}

int cuInit(unsigned) { return Success; }
int cuDriverGetVersion(int* version) { *version = 12040; return Success; }
int cuGetErrorString(int error, const char** text) {
    *text = error == LaunchFailed ? last_fault.c_str() : error == InvalidImage ? "device kernel image is invalid" : error == NotFound ? "named symbol not found"
        : error == CaptureUnsupported ? "operation not permitted when stream is capturing" : error == CaptureInvalidated ? "operation failed due to a previous error during capture" : "invalid argument";
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
static int run(const Recorded& recorded) {
    const char* problem = launch(recorded.grid, emulated_order, recorded.work);
    if (problem) last_fault = problem;
    return problem ? LaunchFailed : Success;
}
int cuLaunchKernel(void* function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned, unsigned, unsigned, void* stream, void** arguments, void**) {
    const bool is_recorded = captured_stream && stream == captured_stream;
    if (x == 0 || y == 0 || z == 0 || y > 65535 || z > 65535 || threads == 0 || threads > 1024) {
        is_invalidated |= is_recorded;
        return InvalidValue;
    }
    const Recorded recorded{{(int)x, (int)y, (int)z, (int)threads}, static_cast<const Entry*>(function)->bind(arguments)};
    if (!is_recorded) return run(recorded);
    recording.push_back(recorded);
    return Success;
}
int cuStreamBeginCapture_v2(void* stream, int mode) {
    if (!stream) return CaptureUnsupported;
    if (captured_stream || mode != 1) return InvalidValue;
    captured_stream = stream;
    is_invalidated = false;
    recording.clear();
    return Success;
}
int cuStreamEndCapture(void* stream, void** graph) {
    *graph = nullptr;
    if (!stream || stream != captured_stream) return InvalidValue;
    captured_stream = nullptr;
    if (is_invalidated) return CaptureInvalidated;
    *graph = made(recording);
    return Success;
}
int cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long) { *executable = made(*static_cast<Graph*>(graph)); return Success; }
int cuGraphLaunch(void* executable, void* stream) {
    if (captured_stream && stream == captured_stream) return CaptureUnsupported;
    int result = Success;
    for (const Recorded& recorded : *static_cast<Graph*>(executable)) if (result == Success) result = run(recorded);
    return result;
}
int cuGraphDestroy(void* graph) { return destroyed(graph); }
int cuGraphExecDestroy(void* executable) { return destroyed(executable); }
int cuEventCreate(void** event, unsigned) { *event = new Event{}; return Success; }
int cuEventRecord(void* event, void* stream) { static float clock; *static_cast<Event*>(event) = {clock += 1.5f, stream}; return Success; }
int cuEventQuery(void* event) { return static_cast<Event*>(event)->time > 0 ? Success : 600; }
int cuEventSynchronize(void*) { return Success; }
int cuStreamWaitEvent(void* stream, void* event, unsigned flags) {
    waits.emplace_back(stream, static_cast<Event*>(event)->stream);
    return flags == 0 ? Success : InvalidValue;
}
int cuEventElapsedTime(float* milliseconds, void* start, void* end) { *milliseconds = static_cast<Event*>(end)->time - static_cast<Event*>(start)->time; return Success; }
int cuEventDestroy_v2(void* event) { delete static_cast<Event*>(event); return Success; }
}
