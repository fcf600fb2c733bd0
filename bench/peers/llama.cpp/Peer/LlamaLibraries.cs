using System.Reflection;
using System.Runtime.InteropServices;

namespace Llava.Benchmarks.LlamaCpp.Peer;

/// <summary>llama.cpp's shared libraries, as the npm package brings them: one for the model, one for the tensors, and one for each kind of processor, of which llama.cpp chooses.</summary>
internal static unsafe class LlamaLibraries
{
    private static readonly Dictionary<string, nint> Loaded = [];

    /// <summary>Loads them; called once, before anything else of llama.cpp's.</summary>
    /// <param name="folder">Where they are.</param>
    /// <exception cref="DllNotFoundException">They are not there.</exception>
    public static void Load(string folder)
    {
        foreach (var (name, pattern) in ((string, string)[])[(Ggml.Base, "libggml-base.so"), (Ggml.Registry, "libggml.v*.so"), (Llama.Library, "libllama.v*.so")])
        {
            var path = Directory.Exists(folder) ? Directory.EnumerateFiles(folder, pattern).FirstOrDefault() : null;
            Loaded[name] = NativeLibrary.Load(path ?? throw new DllNotFoundException($"'{folder}' has no {pattern}. Run bench/peers/llama.cpp/run.sh, which installs it."));
        }

        NativeLibrary.SetDllImportResolver(Assembly.GetExecutingAssembly(), (name, _, _) => Loaded.GetValueOrDefault(name));
        Llama.SetLog(&Ignore, 0);
        Ggml.LoadBackends(folder);
        var chosen = File.ReadLines("/proc/self/maps").Select(line => line[(line.LastIndexOf(' ') + 1)..]).First(path => Path.GetFileName(path).StartsWith("libggml-cpu-", StringComparison.Ordinal));
        Loaded[Ggml.Cpu] = NativeLibrary.Load(chosen);
        Backend = Path.GetFileNameWithoutExtension(chosen)["libggml-".Length..];
        Llama.Initialize();
    }

    /// <summary>The processor's variant that llama.cpp chose.</summary>
    public static string Backend { get; private set; } = "";

    [UnmanagedCallersOnly(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvCdecl)])]
    private static void Ignore(int level, byte* text, nint data)
    {
    }
}
