using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;

namespace Llava.Contracts.OpenAi;

/// <summary>How a vector is written.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<VectorEncoding>))]
public enum VectorEncoding
{
    /// <summary>A list of numbers.</summary>
    [JsonStringEnumMemberName("float")]
    Float,

    /// <summary>Text: 32-bit numbers, the lowest byte first, in base64, as OpenAI's libraries ask for it.</summary>
    [JsonStringEnumMemberName("base64")]
    Base64,
}

/// <summary>Vectors as text.</summary>
public static class VectorText
{
    /// <summary>The vector in base64.</summary>
    public static string Base64(float[] vector) => BitConverter.IsLittleEndian
        ? Convert.ToBase64String(MemoryMarshal.AsBytes(vector.AsSpan()))
        : throw new PlatformNotSupportedException("Vectors are sent in base64 by machines only that store the lowest byte first.");

    /// <summary>A JSON list of the vectors, each as <paramref name="encoding"/> says.</summary>
    public static string Json(IEnumerable<float[]> vectors, VectorEncoding encoding) => $"[{string.Join(',', vectors.Select(vector => encoding == VectorEncoding.Base64
        ? $"\"{Base64(vector)}\""
        : $"[{string.Join(',', vector.Select(number => number.ToString("R", CultureInfo.InvariantCulture)))}]"))}]";
}
