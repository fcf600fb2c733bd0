using Llava.Dashboard.Models;
using Llava.Ledger.Workers;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages;

/// <summary>The models that consumers serve and those that lie in the folder.</summary>
internal sealed class ModelsModel(WorkerRegistry workers, IModelFolder folder) : PageModel
{
    /// <summary>Models by name.</summary>
    public IReadOnlyList<ModelView> Models { get; private set; } = [];

    /// <summary>The page.</summary>
    public async Task OnGetAsync(CancellationToken cancellation) => Models = await ModelRegistry.ReadAsync(workers, folder, cancellation);
}
