using System.Text.Json;
using Llava.ModelCore.Scenes;
using Llava.ModelCore.Training;

namespace Llava.ModelCore.Tests.Scenes;

public sealed class SceneRowsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Two_objects_are_in_the_same_row_exactly_where_the_scene_says_so()
    {
        var scenes = Enumerable.Range(0, 300).Select(seed => Scene.FromSeed(seed, 4)).ToList();
        // Objects that differ in colour and in shape can be told by "the red circle" alone.
        var clear = scenes.Where(scene => scene.Objects.Count == 2 && scene.Objects[0].Color != scene.Objects[1].Color && scene.Objects[0].Shape != scene.Objects[1].Shape).ToList();

        Assert.NotEmpty(clear);
        Assert.All(clear, scene => Assert.Equal(scene.Objects[0].Row == scene.Objects[1].Row ? "yes" : "no", Assert.Single(SameRowQuestions.All(scene)).Answer));
        Assert.Contains(scenes, scene => SameRowQuestions.All(scene).Count == 3);
        Assert.All(scenes.Where(scene => scene.Objects.Count == 1), scene => Assert.Empty(SameRowQuestions.All(scene)));
    }

    [Fact]
    public void Rows_and_questions_are_files_that_training_and_evaluation_take()
    {
        SceneRows.Write(_folder.File("rows"), rows: 6, known: 2, maxObjects: 3, side: 32);
        SceneRows.WriteQuestions(_folder.File("rows"), scenes: 4, maxObjects: 3, side: 32);

        var rows = InstructionDataset.Load(_folder.File("rows/" + SceneRows.RowFile));
        var questions = File.ReadLines(_folder.File("rows/" + SceneRows.QuestionFile)).Select(line => JsonSerializer.Deserialize<JsonElement>(line)).ToList();
        Assert.Equal((6, 0), (rows.Samples.Count, rows.Findings.Count));
        Assert.All(rows.Samples.Values, row => Assert.True(File.Exists(_folder.File("rows/" + row.Image)) && row.Turns[0].Value.StartsWith("<image>", StringComparison.Ordinal)));
        var asked = questions.Where(question => question.GetProperty("category").GetString() == SameRowQuestions.Category).Select(question => question.GetProperty("answer").GetString()!).ToList();
        Assert.Equal(["yes", "no", "yes", "no"], asked);
        Assert.True(questions.Count > 4 * 5);
        Assert.Empty(questions.Select(question => question.GetProperty("image").GetString()).Intersect(rows.Samples.Values.Select(row => row.Image)));
    }
}
