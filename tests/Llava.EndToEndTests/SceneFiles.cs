using Llava.ModelCore.Scenes;

namespace Llava.EndToEndTests;

/// <summary>Held-out scenes as files: what the shipped model is at home in.</summary>
internal static class SceneFiles
{
    private const int Side = 160;
    private const int MaxObjects = 3;

    /// <summary>Writes a question file with exactly this many questions, and the images they are about.</summary>
    public static string WriteQuestions(string folder, int count)
    {
        // A scene gives about ten questions.
        SceneSamples.Write(folder, (count / 8) + 1, MaxObjects, Side);
        var file = Path.Combine(folder, SceneSamples.QuestionFile);
        var lines = File.ReadLines(file).Take(count).ToList();
        Assert.Equal(count, lines.Count);
        File.WriteAllLines(file, lines);
        return file;
    }

    /// <summary>Writes images only.</summary>
    public static void WriteImages(string folder, int count)
    {
        SceneSamples.Write(folder, count, MaxObjects, Side);
        File.Delete(Path.Combine(folder, SceneSamples.QuestionFile));
    }
}
