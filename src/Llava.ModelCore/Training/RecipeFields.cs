using System.Text.Json;

namespace Llava.ModelCore.Training;

/// <summary>The names of a recipe's fields, for one who mistypes them.</summary>
internal static class RecipeFields
{
    private const int LettersForEachError = 3;

    private static readonly IReadOnlyList<string> Known = NamesOf(typeof(TrainingRecipe));

    private static readonly IReadOnlyList<string> OfLora = NamesOf(typeof(LoraRecipe));

    /// <summary>A finding for every name that is no field, with the nearest that is one.</summary>
    /// <param name="recipe">The recipe as it is written.</param>
    public static IEnumerable<string> Findings(JsonElement recipe)
    {
        if (recipe.ValueKind != JsonValueKind.Object)
        {
            return [];
        }

        var inLora = recipe.TryGetProperty("lora", out var lora) && lora.ValueKind == JsonValueKind.Object ? Unknown(lora, OfLora, "lora.") : [];
        return Unknown(recipe, Known, "").Concat(inLora);
    }

    private static IEnumerable<string> Unknown(JsonElement written, IReadOnlyList<string> known, string before) => written.EnumerateObject()
        .Where(field => !known.Contains(field.Name))
        .Select(field => $"{before}{field.Name} is no field of a recipe{Hint(field.Name, known, before)}");

    private static string Hint(string name, IReadOnlyList<string> known, string before)
    {
        var nearest = known.MinBy(one => Distance(name, one))!;
        return Distance(name, nearest) <= Math.Max(1, nearest.Length / LettersForEachError)
            ? $"; did you mean {before}{nearest}?"
            : $". Those that there are: {string.Join(", ", known)}.";
    }

    /// <summary>Levenshtein's, a row at a time; letters alike in either case.</summary>
    private static int Distance(string one, string other)
    {
        int[] row = [.. Enumerable.Range(0, other.Length + 1)];
        for (var i = 1; i <= one.Length; i++)
        {
            var (diagonal, left) = (row[0], i);
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                left = Math.Min(Math.Min(left, row[j]) + 1, diagonal + (char.ToLowerInvariant(one[i - 1]) == char.ToLowerInvariant(other[j - 1]) ? 0 : 1));
                (diagonal, row[j]) = (row[j], left);
            }
        }

        return row[^1];
    }

    private static List<string> NamesOf(Type recipe) => [.. recipe.GetProperties().Where(property => property.CanWrite).Select(property => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name))];
}
