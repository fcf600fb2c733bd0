using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Checkpoints.Quantized;
using Llava.ModelCore.Kernels.Linear;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Files;

/// <summary>The mapped file of a packed checkpoint: its matrices are multiplied where they lie. Pages come when they are first read.</summary>
internal sealed unsafe class PackedTensors : IDisposable
{
    private readonly SafeTensorsFile _file;

    private PackedTensors(SafeTensorsFile file) => _file = file;

    /// <summary>Names of all packed matrices, as the file has them.</summary>
    public IEnumerable<string> Names => _file.Entries.Select(entry => entry.Name).Where(name => name.StartsWith(PackedHeader.Prefix, StringComparison.Ordinal));

    /// <summary>The file.</summary>
    public string Path => _file.Path;

    /// <summary>Maps the file, once more than the checkpoint itself, which may be closed afterwards.</summary>
    public static PackedTensors Open(CheckpointFolder checkpoint) => new(SafeTensorsFile.Open(checkpoint.Tensors[0].File));

    /// <summary>A matrix of vision tower or projector; valid until the file is closed.</summary>
    /// <exception cref="CheckpointException">It is missing, or not of the parameter's shape.</exception>
    public PackedMatrix Image(ModelParameter parameter) => Matrix(PackedEntry.Of(parameter), (int)parameter.Shape[0], (int)parameter.Shape[1], ImageMatrix.Format);

    /// <summary>A matrix; valid until the file is closed.</summary>
    /// <param name="expected">Its name, type and shape.</param>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="format">How its weights are kept.</param>
    /// <exception cref="CheckpointException">It is missing, or of another type or shape.</exception>
    public PackedMatrix Matrix(TensorEntry expected, int rows, int columns, WeightFormat format)
    {
        var found = Entry(expected.Name);
        return found.Type == expected.Type && found.Shape.SequenceEqual(expected.Shape)
            ? new PackedMatrix(rows, columns, format, Memory(found))
            : throw new CheckpointException($"'{_file.Path}': '{found.Name}' is {found.Type} of shape [{string.Join(", ", found.Shape)}], the config calls for {expected.Type} [{string.Join(", ", expected.Shape)}]. Config and weights do not belong together.");
    }

    /// <summary>What the file says of a packed matrix.</summary>
    /// <exception cref="CheckpointException">It is missing.</exception>
    public TensorEntry Entry(string name) => _file.Entry(PackedHeader.Prefix + name);

    /// <summary>Where a tensor lies.</summary>
    public NativeBuffer<byte> Memory(TensorEntry entry) => new((byte*)_file.AddressOf(entry.Name), entry.Bytes);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
