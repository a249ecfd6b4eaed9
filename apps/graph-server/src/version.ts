/** Of this server. */
export const SERVER_VERSION = "0.1.0";

/** The PyChunkedGraph release whose HTTP interface we keep to; CAVEclient hides methods from servers it deems older. */
export const API_VERSION = "3.1.7";
