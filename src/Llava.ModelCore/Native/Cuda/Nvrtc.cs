using System.Runtime.InteropServices;
using System.Text;

namespace Llava.ModelCore.Native.Cuda;

/// <summary>NVIDIA's run-time compiler (<c>libnvrtc</c>): CUDA C++ to machine code in this process. It needs no device.</summary>
internal sealed unsafe class Nvrtc
{
    private const int Success = 0;

    private readonly nint _library;

    private Nvrtc(nint library)
    {
        _library = library;
        int major, minor;
        Check(((delegate* unmanaged<int*, int*, int>)Export("nvrtcVersion"))(&major, &minor), "ask for its version");
        Version = (1000 * major) + (10 * minor);
        int count;
        Check(((delegate* unmanaged<int*, int>)Export("nvrtcGetNumSupportedArchs"))(&count), "ask for its architectures");
        Architectures = new int[count];
        fixed (int* architectures = Architectures)
        {
            Check(((delegate* unmanaged<int*, int>)Export("nvrtcGetSupportedArchs"))(architectures), "ask for its architectures");
        }
    }

    /// <summary>Its CUDA version: 13000 is 13.0.</summary>
    public int Version { get; }

    /// <summary>Architectures it knows, ascending: 90 is sm_90.</summary>
    public int[] Architectures { get; }

    /// <summary>Loads the first that is there.</summary>
    /// <param name="candidates">Files and names, see <see cref="NvrtcFiles"/>.</param>
    /// <exception cref="CudaException">None can be loaded.</exception>
    public static Nvrtc Open(IReadOnlyList<string> candidates)
    {
        foreach (var candidate in candidates)
        {
            if (NativeLibrary.TryLoad(candidate, out var library))
            {
                return new Nvrtc(library);
            }
        }

        throw new CudaException(
            $"The run-time compiler of CUDA is not here ({string.Join(", ", candidates)}). It comes with PyTorch for CUDA: set {TorchLibrary.FolderVariable} to its torch/lib, or use the CPU.");
    }

    /// <summary>Compiles one source.</summary>
    /// <param name="name">What it is called in messages.</param>
    /// <param name="source">CUDA C++.</param>
    /// <param name="headers">What it may include, by name.</param>
    /// <param name="architecture"><c>sm_90</c> gives machine code, <c>compute_90</c> PTX.</param>
    /// <exception cref="CudaException">The source is wrong; the message has the compiler's own.</exception>
    public byte[] Compile(string name, string source, IReadOnlyDictionary<string, string> headers, string architecture)
    {
        using NativeTexts texts = new();
        var contents = texts.Array(headers.Values);
        var names = texts.Array(headers.Keys);
        nint program;
        Check(
            ((delegate* unmanaged<nint*, byte*, byte*, int, byte**, byte**, int>)Export("nvrtcCreateProgram"))(&program, texts.Of(source), texts.Of(name), headers.Count, contents, names),
            $"begin '{name}'");
        try
        {
            string[] options = [$"--gpu-architecture={architecture}", "--std=c++17"];
            var result = ((delegate* unmanaged<nint, int, byte**, int>)Export("nvrtcCompileProgram"))(program, options.Length, texts.Array(options));
            if (result != Success)
            {
                throw new CudaException($"'{name}' does not compile for {architecture} with NVRTC {CudaDriver.Named(Version)}: {Encoding.UTF8.GetString(Result(program, "nvrtcGetProgramLog")).TrimEnd('\0', '\n')}");
            }

            return Result(program, architecture.StartsWith("sm_", StringComparison.Ordinal) ? "nvrtcGetCUBIN" : "nvrtcGetPTX");
        }
        finally
        {
            _ = ((delegate* unmanaged<nint*, int>)Export("nvrtcDestroyProgram"))(&program);
        }
    }

    private byte[] Result(nint program, string getter)
    {
        nuint size;
        Check(((delegate* unmanaged<nint, nuint*, int>)Export(getter + "Size"))(program, &size), "get its result");
        var bytes = new byte[size];
        fixed (byte* start = bytes)
        {
            Check(((delegate* unmanaged<nint, byte*, int>)Export(getter))(program, start), "get its result");
        }

        return bytes;
    }

    private nint Export(string name) => NativeLibrary.TryGetExport(_library, name, out var address)
        ? address
        : throw new CudaException($"The run-time compiler of CUDA that was found is too old: it has no '{name}'. Version 11.2 or later is needed, which comes with any PyTorch for CUDA that fits.");

    private void Check(int result, string action)
    {
        if (result != Success)
        {
            var text = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<int, byte*>)Export("nvrtcGetErrorString"))(result));
            throw new CudaException($"The run-time compiler of CUDA cannot {action}: {text}.");
        }
    }
}
