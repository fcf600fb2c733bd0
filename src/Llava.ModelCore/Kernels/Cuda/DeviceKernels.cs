using Llava.ModelCore.Native.Cuda;

namespace Llava.ModelCore.Kernels.Cuda;

/// <summary>All kernels on one device: a file is compiled and loaded when one of its kernels is first launched. One thread at a time, whose device it is.</summary>
/// <param name="driver">The driver.</param>
/// <param name="compile">Makes an image of a file from its name and text, see <see cref="KernelCompiler"/>.</param>
internal sealed class DeviceKernels(CudaDriver driver, Func<string, string, byte[]> compile) : IDisposable
{
    private readonly Dictionary<string, CudaModule> _modules = [];
    private readonly Dictionary<string, CudaKernel> _kernels = [];

    /// <summary>The stream that kernels are put into: a <c>CUstream</c>; 0, the default one, at first.</summary>
    public nint Stream { get; set; }

    /// <summary>Compiles and loads everything, so that no launch has to wait for it.</summary>
    /// <exception cref="CudaException">A source does not compile, or the driver does not take it.</exception>
    public void LoadAll()
    {
        foreach (var file in KernelSources.Kernels.Keys)
        {
            Module(file);
        }
    }

    /// <summary>Puts a kernel into the stream.</summary>
    /// <param name="file">File it is in, without the ending.</param>
    /// <param name="kernel">Its name.</param>
    /// <param name="shape">Blocks and threads.</param>
    /// <param name="arguments">All parameters in order, each of its parameter's type.</param>
    public void Launch(string file, string kernel, LaunchShape shape, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (!_kernels.TryGetValue(kernel, out var found))
        {
            found = _kernels[kernel] = Module(file)[kernel];
        }

        found.Launch(shape, Stream, arguments);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var module in _modules.Values)
        {
            module.Dispose();
        }

        _modules.Clear();
        _kernels.Clear();
    }

    private CudaModule Module(string file)
    {
        if (!_modules.TryGetValue(file, out var module))
        {
            module = _modules[file] = new CudaModule(driver, compile(file + ".cu", KernelSources.Kernels[file]), file);
        }

        return module;
    }
}
