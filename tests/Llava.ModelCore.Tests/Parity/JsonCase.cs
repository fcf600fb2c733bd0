using System.Text.Json;

namespace Llava.ModelCore.Tests.Parity;

/// <summary>Reads the values of a case.</summary>
internal static class JsonCase
{
    public static string Text(this JsonElement item, string name) => item.GetProperty(name).GetString()!;

    public static int[] Ids(this JsonElement item, string name) => [.. item.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];

    public static double[] Numbers(this JsonElement item, string name) => [.. item.GetProperty(name).EnumerateArray().Select(number => number.GetDouble())];
}
