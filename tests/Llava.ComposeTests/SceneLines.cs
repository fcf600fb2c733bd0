using Llava.Testing;

namespace Llava.ComposeTests;

/// <summary>Pictures of the repository inside of lines, as programs send them.</summary>
internal static class SceneLines
{
    /// <summary>Addresses that hold the pictures themselves.</summary>
    public static IEnumerable<string> Of(int count) => Directory.EnumerateFiles(Repository.Path("samples", "images"), "*.png").Order(StringComparer.Ordinal).Take(count)
        .Select(file => $"data:image/png;base64,{Convert.ToBase64String(File.ReadAllBytes(file))}");

    /// <summary>A message that shows a picture and asks about it.</summary>
    public static object Question(string image) => new
    {
        role = "user",
        content = new object[] { new { type = "image_url", image_url = new { url = image } }, new { type = "text", text = "Describe this image." } },
    };
}
