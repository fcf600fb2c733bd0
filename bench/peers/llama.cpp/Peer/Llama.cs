using System.Runtime.InteropServices;

namespace Llava.Benchmarks.LlamaCpp.Peer;

/// <summary>The functions of llama.h that are called here; names without their prefix.</summary>
internal static unsafe partial class Llama
{
    public const string Library = "llama";

    private const DllImportSearchPath Search = DllImportSearchPath.SafeDirectories;

    [LibraryImport(Library, EntryPoint = "llama_backend_init"), DefaultDllImportSearchPaths(Search)]
    public static partial void Initialize();

    [LibraryImport(Library, EntryPoint = "llama_log_set"), DefaultDllImportSearchPaths(Search)]
    public static partial void SetLog(delegate* unmanaged[Cdecl]<int, byte*, nint, void> log, nint data);

    [LibraryImport(Library, EntryPoint = "llama_model_default_params"), DefaultDllImportSearchPaths(Search)]
    public static partial ModelParameters DefaultModelParameters();

    [LibraryImport(Library, EntryPoint = "llama_context_default_params"), DefaultDllImportSearchPaths(Search)]
    public static partial ContextParameters DefaultContextParameters();

    [LibraryImport(Library, EntryPoint = "llama_model_load_from_file", StringMarshalling = StringMarshalling.Utf8), DefaultDllImportSearchPaths(Search)]
    public static partial nint LoadModel(string path, ModelParameters parameters);

    [LibraryImport(Library, EntryPoint = "llama_model_free"), DefaultDllImportSearchPaths(Search)]
    public static partial void FreeModel(nint model);

    [LibraryImport(Library, EntryPoint = "llama_init_from_model"), DefaultDllImportSearchPaths(Search)]
    public static partial nint NewContext(nint model, ContextParameters parameters);

    [LibraryImport(Library, EntryPoint = "llama_free"), DefaultDllImportSearchPaths(Search)]
    public static partial void FreeContext(nint context);

    [LibraryImport(Library, EntryPoint = "llama_attach_threadpool"), DefaultDllImportSearchPaths(Search)]
    public static partial void AttachThreads(nint context, nint pool, nint batchPool);

    [LibraryImport(Library, EntryPoint = "llama_get_memory"), DefaultDllImportSearchPaths(Search)]
    public static partial nint MemoryOf(nint context);

    [LibraryImport(Library, EntryPoint = "llama_memory_clear"), DefaultDllImportSearchPaths(Search)]
    public static partial void ClearMemory(nint memory, [MarshalAs(UnmanagedType.U1)] bool data);

    [LibraryImport(Library, EntryPoint = "llama_memory_seq_cp"), DefaultDllImportSearchPaths(Search)]
    public static partial void CopySequence(nint memory, int source, int target, int from, int to);

    [LibraryImport(Library, EntryPoint = "llama_decode"), DefaultDllImportSearchPaths(Search)]
    public static partial int Decode(nint context, Batch batch);

    [LibraryImport(Library, EntryPoint = "llama_get_logits_ith"), DefaultDllImportSearchPaths(Search)]
    public static partial float* LogitsOf(nint context, int row);

    /// <summary>llama_model_params, all of it left at its defaults.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 80)]
    public struct ModelParameters
    {
        /// <summary>Where the layers go; null means llama.cpp chooses.</summary>
        public nint Devices;
    }

    /// <summary>llama_context_params of release 0.5.0; what is not named stays at its default.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 160)]
    public struct ContextParameters
    {
        [FieldOffset(0)]
        public uint Positions;

        [FieldOffset(4)]
        public uint BatchTokens;

        [FieldOffset(12)]
        public uint Sequences;

        [FieldOffset(28)]
        public int Threads;

        [FieldOffset(32)]
        public int BatchThreads;

        [FieldOffset(52)]
        public int FlashAttention;
    }

    /// <summary>llama_batch.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Batch
    {
        public int Count;
        public int* Tokens;
        public float* Embeddings;
        public int* Positions;
        public int* SequenceCounts;
        public int** Sequences;
        public byte* HasLogits;
    }
}
