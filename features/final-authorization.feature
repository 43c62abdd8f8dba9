Feature: The final authorization
  After a completed step-up the acquirer authorizes a second time: driven by the webhook, with its session
  token, about the same payment.

  @AP-20 @AP-27
  Scenario: The webhook drives it, although the customer never comes back
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    And the customer never comes back
    Then the acquirer authorizes the payment with Klarna, finally
    And the acquirer tells the Partner that the payment is approved

  @AP-11 @AP-23
  Scenario: It carries the webhook's session token, not the Partner's
    Given a Partner with an order of 459.00 SEK
    And the Partner has a Klarna Network session token
    And Klarna will require a step-up
    When the Partner creates the payment
    Then the Partner's session token reached Klarna with the initial authorize
    When the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the final authorize carries the session token of the webhook in its header

  @AP-23 @AP-24
  Scenario: Amount, currency and references are those of the initial call
    Given a Partner with an order of 1299.50 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then amount, currency and references are the same in both authorize calls

  @AP-25
  Scenario: It is made once, though webhook and customer come together
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    And the customer comes back to the Partner
    Then the acquirer makes exactly one final authorize

  @AP-28 @redirect
  Scenario: A return of the customer is no proof
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment in redirect mode
    And the customer opens the URL that the acquirer returned
    And the customer leaves the purchase undecided
    And the customer comes back to the Partner
    Then the acquirer makes no final authorize
    And the Partner is not told that the payment is approved
