using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Training;

/// <summary>Turns samples into ids and labels under one template (spec 7.4 and 7.5). Safe for use by several threads.</summary>
public sealed class SampleProcessor
{
    private const string ImageStart = "<im_start>";
    private const string ImageEnd = "<im_end>";
    private const string TaggedImage = "<Image>" + ImagePlaceholder.Text + "</Image>";

    private readonly TrainingTokenizer _tokenizer;
    private readonly ConversationTemplate _template;
    private readonly ConversationFormat _format;
    private readonly bool _tagsImages;
    private readonly bool _usesImageStartEnd;
    private readonly bool _dropsForeignStart;

    /// <summary>Prepares a template.</summary>
    /// <param name="template">The template samples are written in.</param>
    /// <param name="tokenizer">The base's tokenizer; the tokens the template and the images need are added to it.</param>
    /// <param name="maxLength">Ids kept of a sample (<c>model_max_length</c>).</param>
    /// <param name="usesImageStartEnd">Whether each image is written as <c>&lt;im_start&gt;&lt;image&gt;&lt;im_end&gt;</c>.</param>
    /// <exception cref="TrainingException">The tokenizer has neither a pad nor an unknown token.</exception>
    public SampleProcessor(ConversationTemplate template, ITokenizer tokenizer, int maxLength, bool usesImageStartEnd)
    {
        _tokenizer = Prepare(template, tokenizer, maxLength, usesImageStartEnd);
        _template = template;
        _format = FormatOf(template, _tokenizer);
        _tagsImages = template.Version.Contains("mmtag", StringComparison.Ordinal);
        _usesImageStartEnd = usesImageStartEnd;
        _dropsForeignStart = _format is RoundFormat;
    }

    /// <summary>Ids kept of a sample.</summary>
    public int MaxLength => _tokenizer.MaxLength;

    /// <summary>Id rows are padded with.</summary>
    public int PadId => _tokenizer.PadId;

    /// <summary>The tokenizer with the tokens the template and the images need.</summary>
    public ITokenizer Tokenizer => _tokenizer.Inner;

    /// <summary>Whether the template takes an image and a caption instead of a conversation.</summary>
    public bool IsCaptionOnly => _format is PlainFormat;

    /// <summary>Ids and labels of a sample; not yet cut to the maximum length when it has an image.</summary>
    /// <exception cref="TrainingException">The conversation does not fit the template.</exception>
    public TrainingExample Process(InstructionSample sample)
    {
        var hasImage = sample.Image is not null;
        var turns = sample.Turns.SkipWhile((turn, i) => _dropsForeignStart && i == 0 && turn.From != ConversationTurn.Human)
            .Select(turn => hasImage ? turn with { Value = WithNormalImage(turn.Value) } : turn).ToList();
        if (IsCaptionOnly && turns.Count != 2)
        {
            throw new TrainingException($"{sample.Name} has {turns.Count} turns; the plain template takes one question and one caption.");
        }

        var format = sample.System is { } system ? FormatOf(_template.WithSystem(system), _tokenizer) : _format;
        var (ids, labels) = format.Assemble(turns, hasImage);
        return new TrainingExample(sample, ids, labels);
    }

    /// <summary>Pads examples to one micro-batch.</summary>
    /// <param name="examples">At least one.</param>
    /// <param name="images">(3, side, side) for each example, or none.</param>
    /// <param name="imageSide">Pixels along a side.</param>
    public TrainingBatch Collate(IReadOnlyList<TrainingExample> examples, IReadOnlyList<float[]> images, int imageSide) =>
        TrainingBatch.Collate(examples, images, imageSide, PadId, MaxLength);

    internal static SampleProcessor For(TrainingRecipe recipe, TrainingBase start) =>
        new(ConversationTemplates.Find(recipe.Template), TokenizerFolder.Open(start.TokenizerFolder), recipe.ModelMaxLength, start.Model.Config.UseImageStartEnd);

    /// <summary>Pad and image tokens as upstream sets them up: v0 gets a <c>[PAD]</c>, everything else pads with unk (spec 7.4).</summary>
    private static TrainingTokenizer Prepare(ConversationTemplate template, ITokenizer tokenizer, int maxLength, bool usesImageStartEnd)
    {
        const string Pad = "[PAD]";
        var needsPad = template.Name == "v0" && tokenizer.PadId is null;
        tokenizer = needsPad ? tokenizer.WithAddedTokens(Pad) : tokenizer;
        var padId = needsPad ? tokenizer.IdOf(Pad) : template.Name == "v0" ? tokenizer.PadId : tokenizer.UnkId ?? tokenizer.PadId;
        tokenizer = usesImageStartEnd ? tokenizer.WithAddedTokens(ImageStart, ImageEnd) : tokenizer;
        return new TrainingTokenizer(
            tokenizer, padId ?? throw new TrainingException("The base's tokenizer has neither a pad nor an unknown token, so rows cannot be padded. Name one in its special_tokens_map.json."), maxLength);
    }

    private static ConversationFormat FormatOf(ConversationTemplate template, TrainingTokenizer tokenizer)
    {
        return template switch
        {
            { Style: PromptStyle.Plain } => new PlainFormat(tokenizer, template.Separator),
            { Style: PromptStyle.Llama2 } => new RoundFormat(tokenizer, RoundMarks.Llama2(template.SecondSeparator!), Render),
            _ when template.Version.StartsWith("v1", StringComparison.Ordinal) =>
                new RoundFormat(tokenizer, RoundMarks.Vicuna(template.Separator, template.AssistantRole, template.SecondSeparator!), Render),
            { Version: "mpt" } => new RoundFormat(tokenizer, RoundMarks.ChatMl(template.Separator, template.AssistantRole), Render),
            _ => new TurnFormat(tokenizer, template.System, template.UserRole, template.AssistantRole),
        };

        string Render(IReadOnlyList<ConversationTurn> turns) => turns.Aggregate(
            Conversation.Start(template),
            (conversation, turn) => conversation.Add(turn.From == ConversationTurn.Human ? Speaker.User : Speaker.Assistant, turn.Value)).ToPrompt();
    }

    /// <summary>One placeholder per turn, first and on its own line, then written as the template and the tokens want it.</summary>
    private string WithNormalImage(string text)
    {
        if (!text.Contains(ImagePlaceholder.Text, StringComparison.Ordinal))
        {
            return text;
        }

        var words = text.Replace(ImagePlaceholder.Text, "", StringComparison.Ordinal).Trim();
        text = $"{ImagePlaceholder.Text}\n{words}".Trim();
        text = _tagsImages ? text.Replace(ImagePlaceholder.Text, TaggedImage, StringComparison.Ordinal) : text;
        return _usesImageStartEnd ? text.Replace(ImagePlaceholder.Text, ImageStart + ImagePlaceholder.Text + ImageEnd, StringComparison.Ordinal) : text;
    }
}
