using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Evaluation.Speed;

namespace Llava.Benchmarks.LlamaCpp.Peer;

/// <summary>
/// CLIP's tower and LLaVA's projector in ggml, operation by operation as llama.cpp's own clip builds them (mtmd, models/llava.cpp): the npm package
/// has the operations, but not clip itself.
/// </summary>
internal sealed unsafe class LlamaTower : IDisposable
{
    private const int MostNodes = 4096;

    private readonly VisionConfig _vision;
    private readonly LlamaThreads _threads;
    private readonly Dictionary<string, nint> _weights = [];
    private readonly nint _backend;
    private readonly nint _context;
    private readonly nint _buffer;
    private readonly nint _allocator;
    private readonly nint _graphContext;
    private readonly nint _graph;
    private readonly nint _pixels;
    private readonly nint _positions;
    private readonly nint _patches;
    private readonly nint _output;
    private readonly int _width;

    /// <param name="random">The weights.</param>
    /// <param name="type">Of the matrices; norms, biases and embeddings are float32.</param>
    /// <param name="threads">Who computes; not disposed with this.</param>
    public LlamaTower(RandomWeights random, GgmlType type, LlamaThreads threads)
    {
        (_vision, _threads, Type, _width) = (random.Config.Vision!, threads, type, random.Config.Projector!.OutputSize);
        _backend = Ggml.NewBackend();
        Ggml.SetThreads(_backend, threads.Count);
        Ggml.SetThreads(_backend, threads.Pool);
        _context = Ggml.NewContext(new() { Bytes = 1 << 20, HasNoData = 1 });
        ModelParameter[] parameters = [.. ModelParameters.OfVisionTower(_vision), .. ModelParameters.OfProjector(random.Config.Projector)];
        foreach (var parameter in parameters)
        {
            var lengths = parameter.Shape.Reverse().Concat([1, 1, 1]).ToArray();
            _weights[parameter.Name] = Ggml.NewTensor(_context, TypeOf(parameter, type), lengths[0], lengths[1], lengths[2], lengths[3]);
        }

        _buffer = Ggml.Allocate(_context, _backend);
        Array.ForEach(parameters, parameter => Fill(parameter, random));
        _graphContext = Ggml.NewContext(new() { Bytes = 8 << 20, HasNoData = 1 });
        _graph = Ggml.NewGraph(_graphContext, MostNodes, hasGradients: false);
        _pixels = Input(GgmlType.F32, _vision.ImageSize, _vision.ImageSize, 3);
        _positions = Input(GgmlType.I32, _vision.Patches + 1);
        _patches = Input(GgmlType.I32, _vision.Patches);
        _output = Project(Encode());
        Ggml.Expand(_graph, _output);
        _allocator = Ggml.NewAllocator(Ggml.BufferTypeOf(_backend));
        if (!Ggml.AllocateGraph(_allocator, _graph))
        {
            throw new InvalidOperationException("ggml cannot hold the tower's graph.");
        }
    }

    ~LlamaTower() => Free();

    /// <summary>Type of the matrices.</summary>
    public GgmlType Type { get; }

    /// <summary>An image's features, (patches, hidden of the language model); its threads are to be working.</summary>
    /// <param name="pixels">(3, side, side), normalised.</param>
    public float[] EncodeWithThreads(float[] pixels)
    {
        Set(_pixels, pixels);
        Set(_positions, [.. Enumerable.Range(0, _vision.Patches + 1)]);
        Set(_patches, [.. Enumerable.Range(1, _vision.Patches)]);
        if (Ggml.Compute(_backend, _graph) != 0)
        {
            throw new InvalidOperationException("ggml cannot compute the tower's graph.");
        }

        var features = new float[_vision.Patches * _width];
        fixed (float* target = features)
        {
            Ggml.Get(_output, target, 0, (nuint)features.Length * sizeof(float));
        }

        return features;
    }

    /// <inheritdoc cref="EncodeWithThreads"/>
    public float[] Encode(float[] pixels)
    {
        float[] features = [];
        _threads.Run(() => features = EncodeWithThreads(pixels));
        return features;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private static GgmlType TypeOf(ModelParameter parameter, GgmlType type) => parameter switch
    {
        // The convolution has kernels for half precision only, as in files for clip.
        { Shape.Count: 4 } => GgmlType.F16,
        { Shape.Count: 2 } when !parameter.Name.Contains("embedding", StringComparison.Ordinal) => type,
        _ => GgmlType.F32,
    };

    private static void Set<T>(nint tensor, T[] values)
        where T : unmanaged
    {
        fixed (T* source = values)
        {
            Ggml.Set(tensor, source, 0, (nuint)(values.Length * sizeof(T)));
        }
    }

    private void Fill(ModelParameter parameter, RandomWeights random)
    {
        using var tensor = random.Read(parameter.Name);
        using var values = tensor.to(TorchSharp.torch.ScalarType.Float32);
        Gguf.GgufTensor kept = new(parameter.Name, TypeOf(parameter, Type), parameter.Shape, () => [.. values.data<float>()]);
        Set(_weights[parameter.Name], kept.Read());
    }

    private nint Input(GgmlType type, long first, long second = 1, long third = 1)
    {
        var tensor = Ggml.NewTensor(_graphContext, type, first, second, third, 1);
        Ggml.SetInput(tensor);
        return tensor;
    }

    private nint Weight(string name) => _weights[ModelParameters.VisionTower + name];

    private nint Linear(string name, nint x) => Ggml.Add(_graphContext, Ggml.Product(_graphContext, Weight(name + ".weight"), x), Weight(name + ".bias"));

    private nint Norm(string name, nint x) =>
        Ggml.Add(_graphContext, Ggml.Multiply(_graphContext, Ggml.Normalize(_graphContext, x, (float)_vision.NormEpsilon), Weight(name + ".weight")), Weight(name + ".bias"));

    private nint Encode()
    {
        var size = _vision.PatchSize;
        var patches = Ggml.Convolve(_graphContext, Weight("embeddings.patch_embedding.weight"), _pixels, size, size, 0, 0, 1, 1);
        patches = Ggml.Contiguous(_graphContext, Ggml.Transpose(_graphContext, Ggml.Reshape(_graphContext, patches, _vision.Patches, _vision.HiddenSize)));
        // Each patch has its own position and the class token the first, whichever of them comes first here.
        var hidden = Ggml.Concatenate(_graphContext, Weight("embeddings.class_embedding"), patches, 1);
        hidden = Ggml.Add(_graphContext, hidden, Ggml.RowsOf(_graphContext, Weight("embeddings.position_embedding.weight"), _positions));
        hidden = Norm("pre_layrnorm", hidden);
        for (var i = 0; i < _vision.LayersUsed; i++)
        {
            var layer = $"layers.{i}.";
            hidden = Ggml.Add(_graphContext, hidden, Attend(layer + "self_attn.", Norm(layer + "layer_norm1", hidden)));
            var inner = Ggml.QuickGelu(_graphContext, Linear(layer + "mlp.fc1", Norm(layer + "layer_norm2", hidden)));
            hidden = Ggml.Add(_graphContext, hidden, Linear(layer + "mlp.fc2", inner));
        }

        return hidden;
    }

    private nint Attend(string name, nint x)
    {
        var size = _vision.HiddenSize / _vision.Heads;
        var queries = Heads(Linear(name + "q_proj", x));
        var keys = Ggml.Cast(_graphContext, Heads(Linear(name + "k_proj", x)), GgmlType.F16);
        var values = Ggml.Cast(_graphContext, Heads(Linear(name + "v_proj", x)), GgmlType.F16);
        var mixed = Ggml.Attention(_graphContext, queries, keys, values, 0, 1 / MathF.Sqrt(size), 0, 0);
        return Linear(name + "out_proj", Ggml.Reshape(_graphContext, mixed, _vision.HiddenSize, _vision.Patches + 1));
    }

    private nint Heads(nint x) => Ggml.Permute(_graphContext, Ggml.Reshape(_graphContext, x, _vision.HiddenSize / _vision.Heads, _vision.Heads, _vision.Patches + 1), 0, 2, 1, 3);

    private nint Project(nint features)
    {
        var x = Ggml.RowsOf(_graphContext, features, _patches);
        for (var i = 0; _weights.TryGetValue($"{ModelParameters.Projector}{i}.weight", out var weight); i++)
        {
            x = i == 0 ? x : Ggml.Gelu(_graphContext, x);
            x = Ggml.Add(_graphContext, Ggml.Product(_graphContext, weight, x), _weights[$"{ModelParameters.Projector}{i}.bias"]);
        }

        return x;
    }

    private void Free()
    {
        Ggml.FreeAllocator(_allocator);
        Ggml.FreeBuffer(_buffer);
        Ggml.FreeContext(_graphContext);
        Ggml.FreeContext(_context);
        Ggml.FreeBackend(_backend);
    }
}
