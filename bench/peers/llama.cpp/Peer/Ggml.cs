using System.Runtime.InteropServices;

namespace Llava.Benchmarks.LlamaCpp.Peer;

/// <summary>How ggml keeps numbers.</summary>
internal enum GgmlType
{
    F32 = 0,
    F16 = 1,
    Q4_0 = 2,
    Q8_0 = 8,
    I32 = 26,
    BF16 = 30,
}

/// <summary>The functions of ggml.h and ggml-backend.h that are called here; names without their prefix. A tensor, context, graph or buffer is its address.</summary>
internal static unsafe partial class Ggml
{
    public const string Base = "ggml-base";
    public const string Registry = "ggml";
    public const string Cpu = "ggml-cpu";

    private const DllImportSearchPath Search = DllImportSearchPath.SafeDirectories;

    [LibraryImport(Registry, EntryPoint = "ggml_backend_load_all_from_path", StringMarshalling = StringMarshalling.Utf8), DefaultDllImportSearchPaths(Search)]
    public static partial void LoadBackends(string folder);

    [LibraryImport(Base, EntryPoint = "ggml_quantize_chunk"), DefaultDllImportSearchPaths(Search)]
    public static partial nuint Quantize(GgmlType type, float* source, void* target, long start, long rows, long columns, float* importance);

    [LibraryImport(Base, EntryPoint = "ggml_row_size"), DefaultDllImportSearchPaths(Search)]
    public static partial nuint RowBytes(GgmlType type, long columns);

    [LibraryImport(Base, EntryPoint = "ggml_threadpool_params_init"), DefaultDllImportSearchPaths(Search)]
    public static partial void DefaultThreads(ThreadParameters* parameters, int threads);

    [LibraryImport(Cpu, EntryPoint = "ggml_threadpool_new"), DefaultDllImportSearchPaths(Search)]
    public static partial nint NewThreads(ThreadParameters* parameters);

    [LibraryImport(Cpu, EntryPoint = "ggml_threadpool_free"), DefaultDllImportSearchPaths(Search)]
    public static partial void FreeThreads(nint pool);

    [LibraryImport(Cpu, EntryPoint = "ggml_threadpool_pause"), DefaultDllImportSearchPaths(Search)]
    public static partial void PauseThreads(nint pool);

    [LibraryImport(Cpu, EntryPoint = "ggml_threadpool_resume"), DefaultDllImportSearchPaths(Search)]
    public static partial void ResumeThreads(nint pool);

    [LibraryImport(Cpu, EntryPoint = "ggml_backend_cpu_init"), DefaultDllImportSearchPaths(Search)]
    public static partial nint NewBackend();

    [LibraryImport(Cpu, EntryPoint = "ggml_backend_cpu_set_n_threads"), DefaultDllImportSearchPaths(Search)]
    public static partial void SetThreads(nint backend, int threads);

    [LibraryImport(Cpu, EntryPoint = "ggml_backend_cpu_set_threadpool"), DefaultDllImportSearchPaths(Search)]
    public static partial void SetThreads(nint backend, nint pool);

    [LibraryImport(Base, EntryPoint = "ggml_backend_free"), DefaultDllImportSearchPaths(Search)]
    public static partial void FreeBackend(nint backend);

    [LibraryImport(Base, EntryPoint = "ggml_backend_get_default_buffer_type"), DefaultDllImportSearchPaths(Search)]
    public static partial nint BufferTypeOf(nint backend);

    [LibraryImport(Base, EntryPoint = "ggml_backend_alloc_ctx_tensors"), DefaultDllImportSearchPaths(Search)]
    public static partial nint Allocate(nint context, nint backend);

    [LibraryImport(Base, EntryPoint = "ggml_backend_buffer_free"), DefaultDllImportSearchPaths(Search)]
    public static partial void FreeBuffer(nint buffer);

    [LibraryImport(Base, EntryPoint = "ggml_backend_tensor_set"), DefaultDllImportSearchPaths(Search)]
    public static partial void Set(nint tensor, void* source, nuint offset, nuint bytes);

    [LibraryImport(Base, EntryPoint = "ggml_backend_tensor_get"), DefaultDllImportSearchPaths(Search)]
    public static partial void Get(nint tensor, void* target, nuint offset, nuint bytes);

    [LibraryImport(Base, EntryPoint = "ggml_backend_graph_compute"), DefaultDllImportSearchPaths(Search)]
    public static partial int Compute(nint backend, nint graph);

    [LibraryImport(Base, EntryPoint = "ggml_gallocr_new"), DefaultDllImportSearchPaths(Search)]
    public static partial nint NewAllocator(nint bufferType);

    [LibraryImport(Base, EntryPoint = "ggml_gallocr_alloc_graph"), DefaultDllImportSearchPaths(Search)]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool AllocateGraph(nint allocator, nint graph);

    [LibraryImport(Base, EntryPoint = "ggml_gallocr_free"), DefaultDllImportSearchPaths(Search)]
    public static partial void FreeAllocator(nint allocator);

    [LibraryImport(Base, EntryPoint = "ggml_init"), DefaultDllImportSearchPaths(Search)]
    public static partial nint NewContext(ContextParameters parameters);

    [LibraryImport(Base, EntryPoint = "ggml_free"), DefaultDllImportSearchPaths(Search)]
    public static partial void FreeContext(nint context);

    [LibraryImport(Base, EntryPoint = "ggml_new_tensor_4d"), DefaultDllImportSearchPaths(Search)]
    public static partial nint NewTensor(nint context, GgmlType type, long first, long second, long third, long fourth);

    [LibraryImport(Base, EntryPoint = "ggml_set_input"), DefaultDllImportSearchPaths(Search)]
    public static partial void SetInput(nint tensor);

    [LibraryImport(Base, EntryPoint = "ggml_new_graph_custom"), DefaultDllImportSearchPaths(Search)]
    public static partial nint NewGraph(nint context, nuint size, [MarshalAs(UnmanagedType.U1)] bool hasGradients);

    [LibraryImport(Base, EntryPoint = "ggml_build_forward_expand"), DefaultDllImportSearchPaths(Search)]
    public static partial void Expand(nint graph, nint tensor);

    [LibraryImport(Base, EntryPoint = "ggml_mul_mat"), DefaultDllImportSearchPaths(Search)]
    public static partial nint Product(nint context, nint weight, nint x);

    [LibraryImport(Base, EntryPoint = "ggml_add"), DefaultDllImportSearchPaths(Search)]
    public static partial nint Add(nint context, nint a, nint b);

    [LibraryImport(Base, EntryPoint = "ggml_mul"), DefaultDllImportSearchPaths(Search)]
    public static partial nint Multiply(nint context, nint a, nint b);

    [LibraryImport(Base, EntryPoint = "ggml_norm"), DefaultDllImportSearchPaths(Search)]
    public static partial nint Normalize(nint context, nint a, float epsilon);

    [LibraryImport(Base, EntryPoint = "ggml_gelu_quick"), DefaultDllImportSearchPaths(Search)]
    public static partial nint QuickGelu(nint context, nint a);

    [LibraryImport(Base, EntryPoint = "ggml_gelu"), DefaultDllImportSearchPaths(Search)]
    public static partial nint Gelu(nint context, nint a);

    [LibraryImport(Base, EntryPoint = "ggml_conv_2d"), DefaultDllImportSearchPaths(Search)]
    public static partial nint Convolve(nint context, nint kernel, nint x, int strideX, int strideY, int paddingX, int paddingY, int dilationX, int dilationY);

    [LibraryImport(Base, EntryPoint = "ggml_reshape_2d"), DefaultDllImportSearchPaths(Search)]
    public static partial nint Reshape(nint context, nint a, long first, long second);

    [LibraryImport(Base, EntryPoint = "ggml_reshape_3d"), DefaultDllImportSearchPaths(Search)]
    public static partial nint Reshape(nint context, nint a, long first, long second, long third);

    [LibraryImport(Base, EntryPoint = "ggml_permute"), DefaultDllImportSearchPaths(Search)]
    public static partial nint Permute(nint context, nint a, int first, int second, int third, int fourth);

    [LibraryImport(Base, EntryPoint = "ggml_transpose"), DefaultDllImportSearchPaths(Search)]
    public static partial nint Transpose(nint context, nint a);

    [LibraryImport(Base, EntryPoint = "ggml_cont"), DefaultDllImportSearchPaths(Search)]
    public static partial nint Contiguous(nint context, nint a);

    [LibraryImport(Base, EntryPoint = "ggml_cast"), DefaultDllImportSearchPaths(Search)]
    public static partial nint Cast(nint context, nint a, GgmlType type);

    [LibraryImport(Base, EntryPoint = "ggml_concat"), DefaultDllImportSearchPaths(Search)]
    public static partial nint Concatenate(nint context, nint a, nint b, int dimension);

    [LibraryImport(Base, EntryPoint = "ggml_get_rows"), DefaultDllImportSearchPaths(Search)]
    public static partial nint RowsOf(nint context, nint a, nint rows);

    [LibraryImport(Base, EntryPoint = "ggml_flash_attn_ext"), DefaultDllImportSearchPaths(Search)]
    public static partial nint Attention(nint context, nint queries, nint keys, nint values, nint mask, float scale, float bias, float softcap);

    /// <summary>ggml_init_params.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct ContextParameters
    {
        public nuint Bytes;
        public nint Buffer;
        public byte HasNoData;
    }

    /// <summary>ggml_threadpool_params, all of it left at its defaults.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 528)]
    public struct ThreadParameters
    {
        /// <summary>The first of 512 flags of processors to run on; none means any.</summary>
        public byte Processors;
    }
}
