using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>CLIP's vision transformer up to the hidden state LLaVA uses (spec 1.2).</summary>
public sealed class VisionTower : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "embeddings")]
    private readonly PatchEmbeddings _embeddings;

    // The misspelling is CLIP's own and part of every checkpoint.
    [ComponentName(Name = "pre_layrnorm")]
    private readonly LayerNormLayer _preNorm;

    [ComponentName(Name = "layers")]
    private readonly ModuleList<EncoderLayer> _layers;

    /// <summary>Makes the tower with uninitialised weights; layers after the selected one are left out.</summary>
    public VisionTower(VisionConfig config)
        : base(nameof(VisionTower))
    {
        Config = config;
        _embeddings = new PatchEmbeddings(config);
        _preNorm = new LayerNormLayer(config.HiddenSize, config.NormEpsilon);
        _layers = new ModuleList<EncoderLayer>([.. Enumerable.Range(0, config.LayersUsed).Select(_ => new EncoderLayer(config))]);
        RegisterComponents();
    }

    /// <summary>Sizes.</summary>
    public VisionConfig Config { get; }

    /// <summary>Image features: (images, 3, side, side) normalised pixels → (images, features, hidden).</summary>
    public override Tensor forward(Tensor pixels) => Observed(pixels, null);

    /// <summary>As <see cref="forward"/>, with a look at each hidden state.</summary>
    /// <param name="pixels">(images, 3, side, side), normalised.</param>
    /// <param name="observe">Called with (0, output of the first norm), then (k, output of layer k), each (images, 1 + patches, hidden).</param>
    public Tensor Observed(Tensor pixels, Action<int, Tensor>? observe)
    {
        var hidden = _preNorm.call(_embeddings.call(pixels));
        observe?.Invoke(0, hidden);
        for (var i = 0; i < _layers.Count; i++)
        {
            hidden = _layers[i].call(hidden);
            observe?.Invoke(i + 1, hidden);
        }

        return Config.KeepsClassToken ? hidden : hidden.narrow(1, 1, Config.Patches);
    }
}

/// <summary>Patches, class token and learned positions.</summary>
public sealed class PatchEmbeddings : nn.Module<Tensor, Tensor>
{
    private readonly VisionConfig _config;

    [ComponentName(Name = "class_embedding")]
    private readonly Parameter _class;

    [ComponentName(Name = "patch_embedding")]
    private readonly PatchProjection _patch;

    [ComponentName(Name = "position_embedding")]
    private readonly Embeddings _position;

    /// <summary>Makes the embeddings with uninitialised weights.</summary>
    public PatchEmbeddings(VisionConfig config)
        : base(nameof(PatchEmbeddings))
    {
        _config = config;
        _class = nn.Parameter(empty(config.HiddenSize));
        _patch = new PatchProjection(config.HiddenSize, config.PatchSize);
        _position = new Embeddings(config.Patches + 1, config.HiddenSize);
        RegisterComponents();
    }

    /// <summary>(images, 3, side, side) → (images, 1 + patches, hidden), float32.</summary>
    public override Tensor forward(Tensor input)
    {
        var patches = _patch.call(input).to(ScalarType.Float32);
        var first = _class.view(1, 1, -1).expand(input.shape[0], 1, _config.HiddenSize);
        return cat([first.to(ScalarType.Float32), patches], 1).add(_position.Weight.to(ScalarType.Float32), Scalars.One);
    }
}

/// <summary>The patch convolution (kernel = stride, no bias) as the matrix product it is.</summary>
public sealed class PatchProjection : nn.Module<Tensor, Tensor>
{
    private readonly int _size;

    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    /// <summary>Makes the projection with uninitialised weights of shape (hidden, 3, patch, patch).</summary>
    public PatchProjection(int hidden, int size)
        : base(nameof(PatchProjection))
    {
        _size = size;
        _weight = nn.Parameter(empty(hidden, 3, size, size));
        RegisterComponents();
    }

    /// <summary>Type the product is computed in. Default float32.</summary>
    public ScalarType ComputeType { get; set; } = ScalarType.Float32;

    /// <summary>(images, 3, side, side) → (images, patches, hidden), patches in row-major order.</summary>
    public override Tensor forward(Tensor input)
    {
        var (images, rows, columns) = (input.shape[0], input.shape[2] / _size, input.shape[3] / _size);
        var patches = input.narrow(2, 0, rows * _size).narrow(3, 0, columns * _size)
            .reshape(images, 3, rows, _size, columns, _size).permute(0, 2, 4, 1, 3, 5)
            .reshape(images, rows * columns, -1);
        return nn.functional.linear(patches.to(ComputeType), _weight.flatten(1).to(ComputeType));
    }
}
