using Llava.Dashboard.Api;
using Llava.Dashboard.Models;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages;

/// <summary>The models that consumers serve, those that lie in the folder and those that were trained here, with where they come from.</summary>
internal sealed class ModelsModel(ModelRegistry registry) : PageModel
{
    /// <summary>Models by name.</summary>
    public IReadOnlyList<ModelView> Models { get; private set; } = [];

    /// <summary>The page.</summary>
    public async Task OnGetAsync(CancellationToken cancellation) => Models = await registry.ReadAsync(Caller.Of(User).Confinement, cancellation);
}
