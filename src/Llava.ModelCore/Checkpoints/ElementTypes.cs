using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>The element types checkpoints use, under each container's own name for them.</summary>
internal static class ElementTypes
{
    private static readonly (string SafeTensors, string Storage, ScalarType Type, int Bytes)[] All =
    [
        ("F64", "DoubleStorage", ScalarType.Float64, 8),
        ("F32", "FloatStorage", ScalarType.Float32, 4),
        ("F16", "HalfStorage", ScalarType.Float16, 2),
        ("BF16", "BFloat16Storage", ScalarType.BFloat16, 2),
        ("I64", "LongStorage", ScalarType.Int64, 8),
        ("I32", "IntStorage", ScalarType.Int32, 4),
        ("I16", "ShortStorage", ScalarType.Int16, 2),
        ("I8", "CharStorage", ScalarType.Int8, 1),
        ("U8", "ByteStorage", ScalarType.Byte, 1),
        ("BOOL", "BoolStorage", ScalarType.Bool, 1),
    ];

    /// <summary>The names safetensors uses, for messages.</summary>
    public static string SafeTensorsNames { get; } = string.Join(", ", All.Select(t => t.SafeTensors));

    /// <summary>Type of a safetensors dtype; null when it is not one we read.</summary>
    public static ScalarType? FromSafeTensors(string name) => Find(t => t.SafeTensors == name)?.Type;

    /// <summary>Type of a torch storage class, for example HalfStorage; null when it is not one we read.</summary>
    public static ScalarType? FromStorage(string name) => Find(t => t.Storage == name)?.Type;

    /// <summary>safetensors dtype of a type.</summary>
    public static string SafeTensorsName(ScalarType type) => Of(type).SafeTensors;

    /// <summary>torch storage class of a type.</summary>
    public static string StorageName(ScalarType type) => Of(type).Storage;

    /// <summary>Bytes of one element.</summary>
    public static int SizeOf(ScalarType type) => Of(type).Bytes;

    private static (string SafeTensors, string Storage, ScalarType Type, int Bytes) Of(ScalarType type) => Find(t => t.Type == type)
        ?? throw new CheckpointException($"Tensors of type {type} are not kept in checkpoints; convert to one of {SafeTensorsNames}.");

    private static (string SafeTensors, string Storage, ScalarType Type, int Bytes)? Find(
        Func<(string SafeTensors, string Storage, ScalarType Type, int Bytes), bool> matches)
    {
        foreach (var type in All)
        {
            if (matches(type))
            {
                return type;
            }
        }

        return null;
    }
}
